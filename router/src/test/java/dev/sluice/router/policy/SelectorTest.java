package dev.sluice.router.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.router.fleet.Charge;
import dev.sluice.router.fleet.Charged;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.Foreign;
import dev.sluice.router.fleet.WorkerAddress;
import dev.sluice.router.fleet.WorkerReport;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.index.BlockHashes;
import dev.sluice.router.index.IndexOptions;
import dev.sluice.router.index.PrefixIndex;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Links;
import dev.sluice.v1.Capabilities;
import dev.sluice.v1.Limits;
import dev.sluice.v1.Load;
import dev.sluice.v1.WorkerIdentity;
import dev.sluice.v1.WorkerState;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class SelectorTest {
  private final WorkerView ready = worker(1, "m", WorkerStatus.READY);
  private final WorkerView other = worker(2, "n", WorkerStatus.READY);
  private final WorkerView draining = worker(3, "m", WorkerStatus.DRAINING);
  private final WorkerView suspect = worker(4, "m", WorkerStatus.SUSPECT);
  private final WorkerView joining = worker(5, "", WorkerStatus.JOINING);

  private static WorkerView worker(int port, String model, WorkerStatus status) {
    WorkerAddress address = new WorkerAddress("w", port);
    Optional<WorkerReport> report =
        model.isEmpty()
            ? Optional.empty()
            : Optional.of(
                new WorkerReport(
                    WorkerIdentity.newBuilder().setWorkerId("w" + port).build(),
                    Capabilities.getDefaultInstance(),
                    FakeWorker.model(model),
                    Limits.getDefaultInstance(),
                    WorkerState.WORKER_STATE_READY,
                    Load.getDefaultInstance(),
                    1));
    return new WorkerView(address, status, "", report, 1, Foreign.NONE, Links.to(address));
  }

  private static Selector selector() {
    return new Selector(
        "least-outstanding",
        new LeastOutstanding(),
        new PrefixIndex(IndexOptions.DEFAULTS),
        System::nanoTime);
  }

  private static Selection select(Requirements needs, WorkerView... workers) {
    return selector().select(new FleetSnapshot(1, List.of(workers)), needs);
  }

  private static Selection select(String model, WorkerView... workers) {
    return select(Requirements.fresh(model, new Tried()), workers);
  }

  private static Tried tried(WorkerView... workers) {
    Tried tried = new Tried();
    List.of(workers).forEach(tried::add);
    return tried;
  }

  /** A choice among so many. */
  private static void assertChosen(Selection selection, WorkerView worker, int candidates) {
    assertThat(selection).isInstanceOf(Selection.Chosen.class);
    Selection.Chosen chosen = (Selection.Chosen) selection;
    assertThat(chosen.worker()).isEqualTo(worker);
    assertThat(chosen.candidates()).isEqualTo(candidates);
  }

  @Test
  void choosesOnlyAmongReadyUntriedWorkersOfTheModel() {
    for (String name : List.of("m", "alias-of-m")) {
      assertChosen(select(name, other, draining, suspect, ready, joining), ready, 1);
    }
    assertThat(select(Requirements.fresh("m", tried(ready)), ready, other, draining))
        .isEqualTo(new Selection.NobodyReady("m", false));
  }

  @Test
  void anEmptyNameMeansTheOnlyModel() {
    assertChosen(select("", suspect, ready), ready, 1);
    assertThat(select("", ready, other)).isEqualTo(new Selection.AmbiguousModel(List.of("m", "n")));
  }

  @Test
  void tellsWhetherWaitingCouldHelp() {
    assertThat(select("m", draining)).isEqualTo(new Selection.NobodyReady("m", false));
    assertThat(select("m", suspect, joining)).isEqualTo(new Selection.NobodyReady("m", true));
    assertThat(select("x", ready)).isEqualTo(new Selection.UnknownModel("x", List.of("m"), false));
    assertThat(select("", joining)).isEqualTo(new Selection.UnknownModel("", List.of(), true));
  }

  @Test
  void chargesTheChoice() {
    WorkerView second = worker(6, "m", WorkerStatus.READY);
    Selection first = select("m", ready, second);
    assertChosen(first, ready, 2);
    Charge charge = ((Selection.Chosen) first).charge();
    assertThat(ready.link().inFlight()).isEqualTo(1);
    assertChosen(select("m", ready, second), second, 2);
    charge.release();
    assertThat(ready.link().inFlight()).isZero();
  }

  @Test
  void decisionsAtTheSameMomentSeeEachOther() throws InterruptedException {
    WorkerView second = worker(6, "m", WorkerStatus.READY);
    FleetSnapshot fleet = new FleetSnapshot(1, List.of(ready, second));
    Selector selector = selector();
    CountDownLatch done = new CountDownLatch(8);
    for (int t = 0; t < 8; t++) {
      Thread.ofPlatform()
          .start(() -> {
            for (int i = 0; i < 500; i++) {
              selector.select(fleet, Requirements.fresh("m", new Tried()));
            }
            done.countDown();
          });
    }
    done.await();
    assertThat(ready.link().inFlight()).isEqualTo(2_000);
    assertThat(second.link().inFlight()).isEqualTo(2_000);
  }

  private static void fail(WorkerView... workers) {
    for (WorkerView worker : workers) {
      for (int i = 0; i < 5; i++) {
        worker.link().breaker().pass().failed();
      }
    }
  }

  @Test
  void leavesOutThoseBehindAnOpenBreaker() {
    WorkerView second = worker(6, "m", WorkerStatus.READY);
    WorkerView third = worker(7, "m", WorkerStatus.READY);
    fail(ready);
    for (int i = 0; i < 10; i++) {
      Selection selection = select("m", ready, second, third);
      assertThat(((Selection.Chosen) selection).worker()).isNotEqualTo(ready);
    }
  }

  @Test
  void ignoresBreakersIfTheyExcludeMoreThanHalf() {
    WorkerView second = worker(6, "m", WorkerStatus.READY);
    WorkerView third = worker(7, "m", WorkerStatus.READY);
    WorkerView fourth = worker(8, "m", WorkerStatus.READY);
    fail(ready, second);
    assertChosen(select("m", ready, second, third, fourth), third, 2); // half is not more
    fail(third);
    assertChosen(select("m", ready, second, third, fourth), ready, 4);
    // others of the model count as ready, also those that were tried
    assertChosen(
        select(Requirements.fresh("m", tried(fourth)), ready, second, third, fourth), second, 3);
  }

  private static WorkerView limited(int port, long pendingPrefillTokens) {
    WorkerView worker = worker(port, "m", WorkerStatus.READY);
    WorkerReport report = worker.report().orElseThrow();
    return new WorkerView(
        worker.address(),
        worker.status(),
        "",
        Optional.of(
            new WorkerReport(
                report.identity(),
                report.capabilities(),
                report.model(),
                Limits.newBuilder().setMaxPendingPrefillTokens(100).build(),
                report.state(),
                report.load(),
                report.routers())),
        1,
        new Foreign(0, pendingPrefillTokens, 0),
        worker.link());
  }

  private static Requirements prompt(int tokens, boolean moved) {
    return new Requirements(
        "m", Affinity.NONE, tokens, BlockHashes.NONE, moved, Optional.empty(), new Tried());
  }

  @Test
  void aWorkerWithAsMuchToComputeAsItAllowsGetsNoMore() {
    WorkerView full = limited(6, 100);
    WorkerView busy = limited(7, 99);
    Selection first = select(prompt(500, false), full, busy);
    assertChosen(first, busy, 1); // however long the prompt: it would wait for ever otherwise
    Selection second = select(prompt(1, false), full, busy);
    assertThat(second).isEqualTo(new Selection.NoRoom("m", false));
    assertThat(select(prompt(1, true), full, busy)).isInstanceOf(Selection.Chosen.class);
    assertThat(select("m", full, busy)).isInstanceOf(Selection.Chosen.class); // no prompt
    ((Selection.Chosen) first).charge().prefilled();
    assertChosen(select(prompt(1, false), full, busy), busy, 1);
  }

  @Test
  void prefillIsReleasedAtTheFirstTokenAndTheRestAtTheEnd() {
    Charge charge = ((Selection.Chosen) select(prompt(64, false), ready)).charge();
    assertThat(ready.link().charged()).isEqualTo(new Charged(1, 64, 64));
    charge.prefilled();
    charge.prefilled();
    assertThat(ready.link().charged()).isEqualTo(new Charged(1, 0, 64));
    charge.release();
    charge.release();
    assertThat(ready.link().charged()).isEqualTo(new Charged(0, 0, 0));
    Charge failed = ((Selection.Chosen) select(prompt(64, false), ready)).charge();
    failed.release();
    failed.prefilled();
    assertThat(ready.link().charged()).isEqualTo(new Charged(0, 0, 0));
  }
}
