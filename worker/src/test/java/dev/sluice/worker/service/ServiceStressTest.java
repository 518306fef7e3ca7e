package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.engine.ModelRunner;
import dev.sluice.worker.simulation.ByteTokenizer;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many requests over real sockets on a pool that is too small for them. */
@Timeout(120)
final class ServiceStressTest {
  private static final int REQUESTS = 1000;

  /** A late reader gets several tokens in a message, so only the first ones are sure to come. */
  private static final int FIRST_MESSAGES = 4;

  @Test
  void everyStreamEndsWithAStatusAndNothingIsLeft() throws Exception {
    ModelRunner.Geometry tight = new ModelRunner.Geometry(ByteTokenizer.SIZE, 128, 4, 60, 64, 16);
    EngineConfig audited = new EngineConfig(2 * REQUESTS, 1 << 20, 64, Duration.ofSeconds(1), true);
    Map<Status.Code, Integer> ends = new TreeMap<>();
    try (WorkerFixture worker = new WorkerFixture(tight, audited, _ -> {});
        ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      worker.serve();
      List<Future<Status.Code>> results = new ArrayList<>();
      for (int i = 0; i < REQUESTS; i++) {
        results.add(clients.submit(client(worker, i)));
      }
      for (Future<Status.Code> result : results) {
        ends.merge(result.get(), 1, Integer::sum);
      }
      worker.services.close(); // waits for the engine to end
      assertThat(worker.engine.snapshot().ownedBlocks()).isZero();
      assertThat(worker.engine.snapshot().preemptions()).isPositive();
    }
    assertThat(ends.keySet()).containsExactlyInAnyOrder(Status.Code.OK, Status.Code.CANCELLED);
    assertThat(ends.get(Status.Code.OK)).isGreaterThan(REQUESTS / 2);
    assertThat(ends.get(Status.Code.CANCELLED)).isGreaterThan(REQUESTS / 20);
  }

  /** One request of random size; one in four hangs up after some messages. */
  private static Callable<Status.Code> client(WorkerFixture worker, int seed) {
    return () -> {
      Random random = new Random(seed);
      int maxTokens = 1 + random.nextInt(60);
      int hangUpAfter =
          random.nextInt(4) == 0
              ? random.nextInt(Math.min(maxTokens, FIRST_MESSAGES))
              : Integer.MAX_VALUE;
      GenerateRequest request =
          GenerateRequest.newBuilder()
              .setText("x".repeat(1 + random.nextInt(60)))
              .setSampling(Sampling.newBuilder().setSeed(seed))
              .setStopping(Stopping.newBuilder().setMaxTokens(maxTokens))
              .build();
      CancellableContext context = Context.current().withCancellation();
      try {
        return context.call(() -> read(worker, request, context, hangUpAfter));
      } finally {
        context.cancel(null);
      }
    };
  }

  private static Status.Code read(
      WorkerFixture worker, GenerateRequest request, CancellableContext context, int hangUpAfter) {
    long sequence = 0;
    try {
      Iterator<GenerateResponse> stream = worker.generation().generate(request);
      boolean finished = false;
      while (stream.hasNext()) {
        GenerateResponse response = stream.next();
        assertThat(response.getSequence()).isEqualTo(++sequence);
        finished = response.hasFinished();
        if (sequence > hangUpAfter) {
          context.cancel(null);
        }
      }
      assertThat(finished).isTrue();
      return Status.Code.OK;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode();
    }
  }
}
