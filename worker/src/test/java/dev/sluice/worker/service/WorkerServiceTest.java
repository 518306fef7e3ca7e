package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.v1.DescribeRequest;
import dev.sluice.v1.DrainRequest;
import dev.sluice.v1.FetchTokenizerRequest;
import dev.sluice.v1.FetchTokenizerResponse;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import dev.sluice.v1.TokenizerInfo;
import dev.sluice.v1.UndrainRequest;
import dev.sluice.v1.WatchRequest;
import dev.sluice.v1.WatchResponse;
import dev.sluice.v1.WatchResponse.EventCase;
import dev.sluice.v1.WorkerState;
import dev.sluice.worker.engine.EngineConfig;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import java.util.Iterator;
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
          worker.worker().watch(WatchRequest.newBuilder().setSubscriber("test").build());
      WatchResponse first = watch.next();
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
            next.getEventCase() == EventCase.HEARTBEAT && next.getHeartbeat().getSteps() >= 9;
        draining |= next.getState() == WorkerState.WORKER_STATE_DRAINING;
      }
    }
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
