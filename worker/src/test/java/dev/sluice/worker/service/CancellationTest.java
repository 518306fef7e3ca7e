package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.v1.Constraint;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import dev.sluice.worker.constraint.ConstraintSource;
import dev.sluice.worker.constraint.Constraints;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.engine.EngineSnapshot;
import dev.sluice.worker.engine.ModelRunner;
import dev.sluice.worker.simulation.ByteTokenizer;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that hang up at each stage of a request: what it held is free within one step. */
@Timeout(60)
final class CancellationTest {
  private static final String HOSTILE = "(x|y)*x(x|y){20}";

  /** One running request, steps of 16 tokens. */
  private static final ModelRunner.Geometry NARROW =
      new ModelRunner.Geometry(ByteTokenizer.SIZE, 512, 4, 256, 16, 1);

  /** A worker whose steps wait until they are let through, and its clients. */
  private static final class Gated implements AutoCloseable {
    private final Semaphore steps = new Semaphore(0);
    private final WorkerFixture worker;
    private final ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();

    Gated() {
      EngineConfig audited = new EngineConfig(100, 1 << 20, 16, Duration.ofSeconds(1), true);
      worker = new WorkerFixture(NARROW, audited, _ -> steps.acquireUninterruptibly());
      worker.serve();
    }

    EngineSnapshot snapshot() {
      return worker.engine.snapshot();
    }

    Client client(GenerateRequest.Builder request) {
      return new Client(worker, request.build(), clients);
    }

    /** Lets a step through, and sees it end. */
    void step() {
      long before = snapshot().steps();
      steps.release();
      until(() -> snapshot().steps() > before);
    }

    /** Lets steps through one by one until the engine has heard of so many. */
    void stepUntilCancelled(int requests) {
      while (snapshot().cancelled() < requests) {
        steps.release();
        until(() -> steps.availablePermits() == 0 || snapshot().cancelled() == requests);
      }
    }

    void assertIdle() {
      assertThat(snapshot().runningRequests()).isZero();
      assertThat(snapshot().waitingRequests()).isZero();
      assertThat(snapshot().ownedBlocks()).isZero();
    }

    void letGo() {
      steps.release(1 << 20);
    }

    @Override
    public void close() {
      letGo();
      worker.close();
      clients.close();
    }
  }

  /** Reads a stream until it ends, or until it is told to hang up. */
  private static final class Client {
    private final Context.CancellableContext context = Context.ROOT.withCancellation();
    private final AtomicInteger deltas = new AtomicInteger();
    private final Future<Status.Code> end;

    Client(WorkerFixture worker, GenerateRequest request, ExecutorService thread) {
      end = thread.submit(() -> context.call(() -> read(worker, request)));
    }

    private Status.Code read(WorkerFixture worker, GenerateRequest request) {
      try {
        Iterator<GenerateResponse> stream = worker.generation().generate(request);
        while (stream.hasNext()) {
          if (stream.next().hasDelta()) {
            deltas.incrementAndGet();
          }
        }
        return Status.Code.OK;
      } catch (StatusRuntimeException e) {
        return e.getStatus().getCode();
      }
    }

    void hangUp() {
      context.cancel(null);
    }

    Status.Code end() throws Exception {
      return end.get(30, TimeUnit.SECONDS);
    }
  }

  private static GenerateRequest.Builder request(String text, int maxTokens) {
    return GenerateRequest.newBuilder()
        .setText(text)
        .setSampling(Sampling.newBuilder().setTemperature(0))
        .setStopping(Stopping.newBuilder().setMaxTokens(maxTokens).setIgnoreEos(true));
  }

  private static void until(BooleanSupplier condition) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("it did not happen").isLessThan(end);
      LockSupport.parkNanos(100_000); // spinning would take the processor from the engine
    }
  }

  @Test
  void whileQueued() throws Exception {
    try (Gated gated = new Gated()) {
      Client running = gated.client(request("running", 480));
      gated.step();
      until(() -> gated.snapshot().waitingRequests() == 0);
      Client queued = gated.client(request("queued", 5));
      until(() -> gated.snapshot().waitingRequests() > 0);
      queued.hangUp();
      assertThat(queued.end()).isEqualTo(Status.Code.CANCELLED);
      gated.stepUntilCancelled(1);
      assertThat(gated.snapshot().waitingRequests()).isZero();
      assertThat(gated.snapshot().runningRequests()).isEqualTo(1);
      running.hangUp();
      assertThat(running.end()).isEqualTo(Status.Code.CANCELLED);
      gated.stepUntilCancelled(2);
      gated.assertIdle();
    }
  }

  @Test
  void whilePrefilling() throws Exception {
    try (Gated gated = new Gated()) {
      Client client = gated.client(request("p".repeat(400), 100));
      gated.step();
      gated.step();
      assertThat(gated.snapshot().ownedBlocks()).isPositive();
      client.hangUp();
      assertThat(client.end()).isEqualTo(Status.Code.CANCELLED);
      assertThat(client.deltas).hasValue(0);
      gated.stepUntilCancelled(1);
      gated.assertIdle();
    }
  }

  @Test
  void whileDecoding() throws Exception {
    try (Gated gated = new Gated()) {
      Client client = gated.client(request("decode", 480));
      gated.step();
      gated.step();
      until(() -> client.deltas.get() > 0);
      client.hangUp();
      assertThat(client.end()).isEqualTo(Status.Code.CANCELLED);
      gated.stepUntilCancelled(1);
      gated.assertIdle();
    }
  }

  /** None of them reaches the engine, and the compiler is free for others at once. */
  @Test
  void whileCompiling() throws Exception {
    try (Gated gated = new Gated()) {
      gated.letGo();
      List<Client> clients = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        Constraint hostile = Constraint.newBuilder().setRegex(HOSTILE + "v{" + i + "}").build();
        clients.add(gated.client(request("compile", 5).setConstraint(hostile)));
      }
      clients.forEach(Client::hangUp);
      for (Client client : clients) {
        assertThat(client.end()).isEqualTo(Status.Code.CANCELLED);
      }
      Constraint easy = Constraint.newBuilder().setRegex("[a-z]{3}").build();
      Client next = gated.client(request("next", 5).setConstraint(easy));
      assertThat(next.end()).isEqualTo(Status.Code.OK);
      until(() -> gated.snapshot().runningRequests() == 0);
      assertThat(gated.snapshot().cancelled()).isZero();
      assertThat(gated.snapshot().ownedBlocks()).isZero();
    }
  }

  @Test
  void givingUpEndsTheCompilation() throws Exception {
    try (Constraints constraints = new Constraints(ByteTokenizer.bundle());
        Context.CancellableContext call = Context.ROOT.withCancellation()) {
      CompletableFuture<RefusalException> refused =
          CompletableFuture.supplyAsync(() -> refusal(call, constraints, HOSTILE));
      CompletableFuture<RefusalException> queued =
          CompletableFuture.supplyAsync(() -> refusal(call, constraints, HOSTILE + "q"));
      until(() -> constraints.pending() == 2);
      call.cancel(null);
      assertThat(queued.get(20, TimeUnit.SECONDS).refusal()).isInstanceOf(Refusal.Cancelled.class);
      assertThat(refused.get(20, TimeUnit.SECONDS).refusal()).isInstanceOf(Refusal.Cancelled.class);
      until(() -> constraints.pending() == 0);
    }
  }

  private static RefusalException refusal(Context call, Constraints constraints, String regex) {
    return catchThrowableOfType(
        RefusalException.class,
        () ->
            call.call(
                () -> ConstraintStage.compile(constraints, new ConstraintSource.Regex(regex))));
  }
}
