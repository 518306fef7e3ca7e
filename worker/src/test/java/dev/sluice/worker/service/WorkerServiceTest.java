package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.sluice.common.cache.BlockHasher;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.v1.DescribeRequest;
import dev.sluice.v1.DrainRequest;
import dev.sluice.v1.FetchTokenizerRequest;
import dev.sluice.v1.FetchTokenizerResponse;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.KvEvents;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import dev.sluice.v1.TokenizerInfo;
import dev.sluice.v1.UndrainRequest;
import dev.sluice.v1.WatchRequest;
import dev.sluice.v1.WatchResponse;
import dev.sluice.v1.WatchResponse.EventCase;
import dev.sluice.v1.WorkerSnapshot;
import dev.sluice.v1.WorkerState;
import dev.sluice.worker.engine.CacheContent;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.engine.ModelRunner;
import dev.sluice.worker.simulation.ByteTokenizer;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The worker's own service and its health over a real socket. */
@Timeout(60)
final class WorkerServiceTest {
  @Test
  void healthFollowsTheWorker() throws Exception {
    try (WorkerFixture worker =
        new WorkerFixture(WorkerFixture.SMALL, EngineConfig.defaults(), _ -> {})) {
      assertThat(health(worker)).isEqualTo(ServingStatus.NOT_SERVING);
      worker.serve();
      assertThat(health(worker)).isEqualTo(ServingStatus.SERVING);
      worker.worker().drain(DrainRequest.getDefaultInstance());
      assertThat(health(worker)).isEqualTo(ServingStatus.NOT_SERVING);
      worker.worker().undrain(UndrainRequest.getDefaultInstance());
      assertThat(health(worker)).isEqualTo(ServingStatus.SERVING);
    }
  }

  @Test
  void watchSendsASnapshotThenWhatChangesWithoutAGap() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      Iterator<WatchResponse> watch =
          worker.worker().watch(WatchRequest.newBuilder().setSubscriber("router").build());
      WatchResponse first = watch.next();
      assertThat(first.getSnapshot().getSubscribers()).isEqualTo(1);
      assertThat(first.getSequence()).isEqualTo(1);
      assertThat(first.getSnapshot().getIdentity().getWorkerId()).isEqualTo("w1");
      assertThat(first.getSnapshot().getState()).isEqualTo(WorkerState.WORKER_STATE_READY);
      assertThat(first.getSnapshot().getLoad().getKvBlocksTotal()).isEqualTo(256);
      assertThat(first.getSnapshot().getLastChunk()).isTrue();

      worker.generate(request());
      worker.worker().drain(DrainRequest.getDefaultInstance());
      boolean load = false;
      boolean heartbeat = false;
      boolean draining = false;
      for (long sequence = 2; !(load && heartbeat && draining); sequence++) {
        WatchResponse next = watch.next();
        assertThat(next.getSequence()).isEqualTo(sequence);
        load |= next.getEventCase() == EventCase.LOAD && next.getLoad().getOutputTokensTotal() == 9;
        heartbeat |=
            next.getEventCase() == EventCase.HEARTBEAT
                && next.getHeartbeat().getSteps() >= 9
                && next.getHeartbeat().getRouters() == 1;
        draining |= next.getState() == WorkerState.WORKER_STATE_DRAINING;
      }
    }
  }

  /** One request that decodes, one that waits for its row: only the first should be heard of. */
  @Test
  void heartbeatNamesWhatDecodes() throws Exception {
    ModelRunner.Geometry oneRow = new ModelRunner.Geometry(ByteTokenizer.SIZE, 512, 4, 256, 64, 1);
    Semaphore steps = new Semaphore(3);
    try (WorkerFixture worker =
        new WorkerFixture(oneRow, EngineConfig.defaults(), _ -> steps.acquireUninterruptibly())) {
      worker.serve();
      Iterator<GenerateResponse> runs =
          worker.generation().generate(request(60).toBuilder().setRequestId("runs").build());
      assertThat(runs.next().hasStarted()).isTrue();
      Iterator<GenerateResponse> waits =
          worker.generation().generate(request(2).toBuilder().setRequestId("waits").build());
      Iterator<WatchResponse> watch =
          worker.worker().watch(WatchRequest.newBuilder().setSubscriber("test").build());
      assertThat(decoding(watch, steps, List.of("runs"))).isEqualTo(List.of("runs"));

      steps.release(1_000);
      while (waits.hasNext()) {
        waits.next();
      }
      assertThat(decoding(watch, steps, List.of())).isEmpty();
    }
  }

  /** Reads heartbeats until one names these; steps go on meanwhile. */
  private static List<String> decoding(
      Iterator<WatchResponse> watch, Semaphore steps, List<String> expected) {
    List<String> named = List.of("nothing heard yet");
    for (int beats = 0; beats < 10 && !named.equals(expected); ) {
      WatchResponse next = watch.next();
      if (next.getEventCase() == EventCase.HEARTBEAT) {
        named = List.copyOf(next.getHeartbeat().getDecodingRequestIdsList());
        steps.release();
        beats++;
      }
    }
    return named;
  }

  /** Both replay what they are told; the one that came later begins with what is there. */
  @Test
  void watchTellsWhichBlocksAreCached() throws Exception {
    WatchRequest request =
        WatchRequest.newBuilder().setSubscriber("router").setKvEvents(true).build();
    try (WorkerFixture worker = WorkerFixture.serving()) {
      Iterator<WatchResponse> early = worker.worker().watch(request);
      Set<ByteString> seenEarly = new HashSet<>(hashes(early.next().getSnapshot()));
      assertThat(seenEarly).isEmpty();
      String prompt = "A prompt that fills some blocks of four tokens. ";
      worker.generate(request(60).toBuilder().setText(prompt).build());
      int blocks = (prompt.length() + 60 - 1) / 4;
      while (seenEarly.size() < blocks) {
        replay(early.next(), seenEarly);
      }
      assertThat(seenEarly).hasSize(blocks);

      Iterator<WatchResponse> late = worker.worker().watch(request);
      assertThat(hashes(late.next().getSnapshot())).containsExactlyInAnyOrderElementsOf(seenEarly);

      BlockHasher hasher = new BlockHasher();
      hasher.begin("");
      int[] tokens = worker.tokenizer.encode(prompt);
      hasher.next(tokens, 0, 4);
      ByteBuffer first =
          ByteBuffer.allocate(16).putLong(hasher.high()).putLong(hasher.low()).flip();
      assertThat(seenEarly).contains(ByteString.copyFrom(first));

      // more than the pool holds: blocks are evicted
      for (int i = 0; i < 6; i++) {
        worker.generate(request(300).toBuilder().setText(i + prompt).build());
      }
      CacheContent content = worker.engine.cacheContent().get();
      assertThat(content.hashes()).hasSizeLessThan(2 * 256 + 1);
      Set<ByteString> expected = new HashSet<>();
      for (int i = 0; i < content.hashes().length; i += 2) {
        ByteBuffer hash =
            ByteBuffer.allocate(16)
                .putLong(content.hashes()[i])
                .putLong(content.hashes()[i + 1])
                .flip();
        expected.add(ByteString.copyFrom(hash));
      }
      while (!seenEarly.equals(expected)) {
        replay(early.next(), seenEarly); // or the test's time is over
      }
    }
  }

  private static void replay(WatchResponse response, Set<ByteString> blocks) {
    KvEvents events = response.getKvEvents();
    blocks.removeAll(split(events.getRemoved()));
    blocks.addAll(split(events.getStored()));
  }

  private static List<ByteString> hashes(WorkerSnapshot snapshot) {
    return split(snapshot.getCachedBlockHashes());
  }

  private static List<ByteString> split(ByteString hashes) {
    List<ByteString> split = new ArrayList<>();
    for (int i = 0; i < hashes.size(); i += 16) {
      split.add(hashes.substring(i, i + 16));
    }
    return split;
  }

  @Test
  void drainingWorkerRefusesAndFinishesWhatItHas() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      Iterator<GenerateResponse> running = worker.generation().generate(request(300));
      assertThat(running.next().hasStarted()).isTrue();
      worker.worker().drain(DrainRequest.getDefaultInstance());
      StatusRuntimeException e =
          Assertions.catchThrowableOfType(
              StatusRuntimeException.class, () -> worker.generate(request()));
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      GenerateResponse last = running.next();
      while (running.hasNext()) {
        last = running.next();
      }
      assertThat(last.getFinished().getUsage().getOutputTokens()).isEqualTo(300);
    }
  }

  @Test
  void tokenizerCanBeFetchedWhole() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      Iterator<FetchTokenizerResponse> chunks =
          worker.worker().fetchTokenizer(FetchTokenizerRequest.getDefaultInstance());
      TokenizerInfo info = chunks.next().getInfo();
      ByteString json = ByteString.EMPTY;
      while (chunks.hasNext()) {
        json = json.concat(chunks.next().getTokenizerJson());
      }
      assertThat(json.size()).isEqualTo((int) info.getTokenizerJsonBytes());
      TokenizerBundle fetched =
          new TokenizerBundle(
              json.toStringUtf8(),
              info.getChatTemplate(),
              info.getBosToken(),
              info.getEosToken(),
              info.getEosTokenIdsList(),
              info.getAddBos());
      assertThat(fetched.fingerprint())
          .isEqualTo(worker.bundle.fingerprint())
          .isEqualTo(info.getFingerprint());
    }
  }

  @Test
  void describeTellsWhatTheWorkerIs() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      var described = worker.worker().describe(DescribeRequest.getDefaultInstance());
      assertThat(described.getDevice()).isEqualTo("cpu");
      assertThat(described.getState()).isEqualTo(WorkerState.WORKER_STATE_READY);
      assertThat(described.getModel().getVocabularySize()).isEqualTo(ByteTokenizer.SIZE);
    }
  }

  private static ServingStatus health(WorkerFixture worker) {
    return worker.health().check(HealthCheckRequest.getDefaultInstance()).getStatus();
  }

  private static GenerateRequest request() {
    return request(9);
  }

  private static GenerateRequest request(int tokens) {
    return GenerateRequest.newBuilder()
        .setText("hello")
        .setSampling(Sampling.newBuilder().setTemperature(0))
        .setStopping(Stopping.newBuilder().setMaxTokens(tokens).setIgnoreEos(true))
        .build();
  }
}
