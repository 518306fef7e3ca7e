package dev.sluice.router.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.security.ClientTls;
import dev.sluice.common.server.EventLoops;
import dev.sluice.router.index.IndexOptions;
import dev.sluice.router.index.PrefixIndex;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.ManualLoop;
import dev.sluice.v1.Heartbeat;
import dev.sluice.v1.Load;
import dev.sluice.v1.WatchResponse;
import dev.sluice.v1.WorkerIdentity;
import dev.sluice.v1.WorkerState;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The states of one worker over real Watch streams; time is the test's. */
class FleetTest {
  private final FakeWorker worker = FakeWorker.start("w1");
  private final ManualLoop loop = new ManualLoop();
  private final EventLoops loops = EventLoops.create(1);
  private final Fleet fleet =
      new Fleet(
          List.of(WorkerAddress.parse(worker.address()), WorkerAddress.parse(worker.address())),
          FleetOptions.DEFAULTS,
          address ->
              WorkerChannels.open(
                  address, ChannelOptions.DEFAULTS, loops, ClientTls.plainText(), List.of()),
          loop,
          new Random(1),
          new PrefixIndex(IndexOptions.DEFAULTS));

  @AfterEach
  void close() {
    Thread closing = Thread.ofPlatform().start(fleet::close);
    loop.runUntil(() -> view().status() == WorkerStatus.GONE);
    join(closing);
    worker.close();
    loops.close();
  }

  private WorkerView view() {
    assertThat(fleet.snapshot().workers()).hasSize(1); // listed twice, known once
    return fleet.snapshot().workers().getFirst();
  }

  private void runUntil(WorkerStatus status) {
    loop.runUntil(() -> view().status() == status);
  }

  private FakeWorker.Watcher becomeReady() {
    fleet.start();
    FakeWorker.Watcher[] watcher = new FakeWorker.Watcher[1];
    runUntil(WorkerStatus.READY);
    watcher[0] = worker.watchers().next();
    return watcher[0];
  }

  @Test
  void joinsThenFollowsWhatTheWorkerSays() {
    assertThat(view().status()).isEqualTo(WorkerStatus.JOINING);
    assertThat(view().name()).isEqualTo(worker.address());
    FakeWorker.Watcher watcher = becomeReady();
    assertThat(view().name()).isEqualTo("w1");
    assertThat(view().serves("alias-of-m")).isTrue();

    assertThat(view().link().charge(view().link().charged(), 0)).isPresent();
    watcher.send(
        WatchResponse.newBuilder()
            .setLoad(Load.newBuilder().setRunningRequests(3).setWaitingRequests(2)));
    loop.runUntil(() -> view().foreignRequests() == 4); // 5 less our own

    watcher.send(WatchResponse.newBuilder().setState(WorkerState.WORKER_STATE_DRAINING));
    runUntil(WorkerStatus.DRAINING);
    watcher.send(WatchResponse.newBuilder().setState(WorkerState.WORKER_STATE_READY));
    runUntil(WorkerStatus.READY);
    watcher.send(WatchResponse.newBuilder().setState(WorkerState.WORKER_STATE_STARTING));
    runUntil(WorkerStatus.JOINING);
  }

  @Test
  void aGapOpensANewStreamAtOnce() {
    FakeWorker.Watcher watcher = becomeReady();
    watcher.skip(1);
    watcher.send(WatchResponse.newBuilder().setHeartbeat(Heartbeat.getDefaultInstance()));
    runUntil(WorkerStatus.SUSPECT);
    assertThat(view().reason()).contains("sequence 3 (expected: 2)");
    assertThat(loop.untilNextTimer()).isZero();
    loop.advance(Duration.ZERO);
    runUntil(WorkerStatus.READY);
    assertThat(view().reason()).isEmpty();
  }

  @Test
  void aNewEpochStartsClean() {
    FakeWorker.Watcher watcher = becomeReady();
    watcher.send(WatchResponse.newBuilder().setLoad(Load.newBuilder().setRunningRequests(7)));
    loop.runUntil(() -> view().foreignRequests() == 7);
    Thread operator = Thread.ofPlatform().start(() -> fleet.cordon(view().address(), true));
    runUntil(WorkerStatus.DRAINING);
    watcher.send(
        WatchResponse.newBuilder()
            .setSnapshot(
                worker
                    .snapshot()
                    .setIdentity(WorkerIdentity.newBuilder().setWorkerId("w1").setEpoch("e2"))));
    loop.runUntil(() -> view().report().orElseThrow().identity().getEpoch().equals("e2"));
    assertThat(view().foreignRequests()).isZero();
    assertThat(view().status()).isEqualTo(WorkerStatus.READY);
    join(operator);
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void aSilentWorkerIsSuspectUntilItSpeaks() {
    FakeWorker.Watcher watcher = becomeReady();
    loop.advance(Duration.ofSeconds(9));
    watcher.send(WatchResponse.newBuilder().setLoad(Load.newBuilder().setRunningRequests(1)));
    loop.runUntil(() -> view().foreignRequests() == 1);
    loop.advance(Duration.ofSeconds(1));
    loop.advance(Duration.ofSeconds(8)); // 18 s, but heard 9 s ago
    assertThat(view().status()).isEqualTo(WorkerStatus.READY);
    loop.advance(Duration.ofSeconds(1));
    runUntil(WorkerStatus.SUSPECT);
    assertThat(view().reason()).contains("silent for 10000 ms");
    loop.advance(FleetOptions.DEFAULTS.backoffMax());
    runUntil(WorkerStatus.READY);
  }

  @Test
  void aRouterThatStoodStillItselfDoesNotBlameItsWorkers() {
    becomeReady();
    loop.advance(Duration.ofSeconds(60)); // no timer ran in between
    assertThat(view().status()).isEqualTo(WorkerStatus.READY);
    loop.advance(FleetOptions.DEFAULTS.silenceTimeout());
    runUntil(WorkerStatus.SUSPECT);
  }

  @Test
  void aLostWorkerIsSuspectAndTriedLessAndLessOften() {
    becomeReady();
    worker.kill();
    runUntil(WorkerStatus.SUSPECT);
    Duration limit = FleetOptions.DEFAULTS.backoffInitial();
    for (int i = 0; i < 4; i++) {
      assertThat(loop.untilNextTimer()).isBetween(limit.dividedBy(2), limit);
      String before = view().reason();
      assertThat(before).isNotEmpty();
      long version = fleet.snapshot().version();
      loop.advance(loop.untilNextTimer());
      loop.runUntil(() -> fleet.snapshot().version() > version);
      assertThat(view().status()).isEqualTo(WorkerStatus.SUSPECT);
      limit = limit.multipliedBy(2);
    }
  }

  @Test
  void anOperatorCanHoldAWorkerBack() {
    becomeReady();
    Thread operator = Thread.ofPlatform().start(() -> fleet.cordon(view().address(), true));
    runUntil(WorkerStatus.DRAINING);
    assertThat(view().reason()).contains("operator");
    Thread again = Thread.ofPlatform().start(() -> fleet.cordon(view().address(), false));
    runUntil(WorkerStatus.READY);
    join(operator);
    join(again);
  }
}
