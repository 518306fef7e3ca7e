package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.prompt.PromptEncoder;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Model;
import dev.sluice.worker.engine.GenerationSummary;
import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.sampling.SamplingParams;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class GenerationCallTest {
  /** A client that never reads, and then hangs up when all tokens are there. */
  @Test
  void endsWhenItsClientHangsUpWithTokensUnsent() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      CompletableFuture<Status> ended = new CompletableFuture<>();
      GenerationCall call = call(worker, new DeafSink(), ended);
      call.start(GenerationTask.builder("deaf", 1, 2, 3).maxTokens(20).build());
      while (worker.engine.snapshot().outputTokens() < 20) {
        Thread.onSpinWait();
      }
      call.hangUp();
      assertThat(ended.get(20, TimeUnit.SECONDS).getCode()).isEqualTo(Status.Code.CANCELLED);
    }
  }

  /** As a lock on the way to the socket does: it takes the permits of all wakes that come then. */
  @Test
  void goesOnWhenTheSinkWaitedWhileTokensCame() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      CompletableFuture<Status> ended = new CompletableFuture<>();
      CountDownLatch go = new CountDownLatch(1);
      GenerationCall call = call(worker, new WaitingSink(go), ended);
      call.start(GenerationTask.builder("waits", 1, 2, 3).maxTokens(20).build());
      while (worker.engine.snapshot().outputTokens() < 20
          || worker.engine.snapshot().runningRequests() > 0) {
        Thread.onSpinWait();
      }
      go.countDown();
      assertThat(ended.get(20, TimeUnit.SECONDS).getCode()).isEqualTo(Status.Code.OK);
    }
  }

  private static GenerationCall call(
      WorkerFixture worker, ResponseSink sink, CompletableFuture<Status> ended) {
    return new GenerationCall(
        plan(),
        worker.engine,
        sink,
        new ServedModel(
            "sim",
            "w1",
            ModelForm.TOKENS,
            Optional.of(
                new Tokenization(
                    worker.bundle,
                    worker.tokenizer,
                    new PromptEncoder(worker.bundle, worker.tokenizer))),
            Model.getDefaultInstance()),
        new Recorder(ended));
  }

  private static GenerationPlan plan() {
    return new GenerationPlan(
        "deaf",
        "default",
        "",
        new PromptSource.Tokens(List.of(1, 2, 3)),
        SamplingParams.GREEDY,
        1,
        Optional.empty(),
        OptionalInt.empty(),
        OptionalInt.empty(),
        OptionalInt.of(20),
        0,
        List.of(),
        List.of(),
        false,
        true,
        1,
        0,
        Optional.empty(),
        Urgency.ORDINARY);
  }

  /** Never ready. */
  private static final class DeafSink implements ResponseSink {
    @Override
    public boolean isReady() {
      return false;
    }

    @Override
    public void send(GenerateResponse response) {
      throw new AssertionError("sent although not ready");
    }

    @Override
    public void complete() {
      throw new AssertionError("completed although nothing was sent");
    }

    @Override
    public void fail(StatusRuntimeException status) {}
  }

  /** Takes everything, but waits for a latch first. */
  private record WaitingSink(CountDownLatch go) implements ResponseSink {
    @Override
    public boolean isReady() {
      return true;
    }

    @Override
    public void send(GenerateResponse response) {
      try {
        go.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void complete() {}

    @Override
    public void fail(StatusRuntimeException status) {}
  }

  private record Recorder(CompletableFuture<Status> ended) implements CallRecorder {
    @Override
    public void completed(List<FinishReason> reasons, GenerationSummary summary, int outputTokens) {
      ended.complete(Status.OK);
    }

    @Override
    public void failed(Status status, GenerationSummary summary, int outputTokens) {
      ended.complete(status);
    }
  }
}
