package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.client.GenerateOptions;
import dev.sluice.client.SluiceClient;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Every process of a fleet is replaced, one after the other, by SIGTERM and a new one, while
 * requests come at a constant rate. Clients are plain gRPC: they make a call again, once and at the
 * other router, if it was refused with UNAVAILABLE before anything had come; nothing else may fail.
 * The model is a tiny one, since it is the processes that matter.
 */
final class RollingUpgradeIT {
  private static final int WORKERS = 4;
  private static final int ROUTERS = 2;
  private static final int TOKENS = 300;
  private static final int PER_SECOND = Integer.getInteger("sluice.upgrade.rate", 8);
  private static final Duration STALL = Duration.ofSeconds(10);
  private static final long DEADLINE_SECONDS = 60;

  private final AtomicInteger sent = new AtomicInteger();
  private final AtomicInteger answered = new AtomicInteger();
  private final AtomicInteger retried = new AtomicInteger();
  private final ConcurrentLinkedQueue<String> failures = new ConcurrentLinkedQueue<>();

  @Test
  void noRequestFailsWhileEverythingIsReplaced() throws Exception {
    List<String> flags =
        List.of(
            "--model=" + Sluice.distribution().resolve("train").resolve("tiny.gguf"),
            "--server.stop-grace=200ms"); // so that some have to go on elsewhere
    try (ChaosFleet fleet = new ChaosFleet(WORKERS, ROUTERS, STALL, Map.of(), flags)) {
      fleet.awaitReady();
      List<SluiceClient> clients = new ArrayList<>();
      for (int router = 0; router < ROUTERS; router++) {
        clients.add(SluiceClient.create(fleet.target(router)));
      }
      ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();
      ScheduledExecutorService pace = Executors.newSingleThreadScheduledExecutor();
      try {
        var _ =
            pace.scheduleAtFixedRate(
                () -> calls.execute(() -> request(clients)),
                0,
                TimeUnit.SECONDS.toNanos(1) / PER_SECOND,
                TimeUnit.NANOSECONDS);
        for (int worker = 0; worker < WORKERS; worker++) {
          fleet.stopWorker(worker);
          fleet.restartWorker(worker);
          fleet.awaitReady();
        }
        for (int router = 0; router < ROUTERS; router++) {
          fleet.upgradeRouter(router);
          fleet.awaitReady();
        }
      } finally {
        pace.shutdownNow();
        calls.shutdown();
        assertThat(calls.awaitTermination(DEADLINE_SECONDS, TimeUnit.SECONDS)).isTrue();
        clients.forEach(SluiceClient::close);
      }
      assertThat(failures).isEmpty();
      assertThat(answered.get()).isEqualTo(sent.get()).isGreaterThan(PER_SECOND);
      System.out.println("upgrade: " + answered + " answers, " + retried + " made again");
    }
  }

  /** One call, begun at each router in turn. */
  private void request(List<SluiceClient> clients) {
    int number = sent.getAndIncrement();
    try {
      if (!call(clients.get(number % ROUTERS))) {
        retried.incrementAndGet();
        if (!call(clients.get((number + 1) % ROUTERS))) {
          failures.add(number + ": both routers refused");
          return;
        }
      }
      answered.incrementAndGet();
    } catch (RuntimeException | AssertionError e) {
      failures.add(number + ": " + e);
    }
  }

  /** False if the router took no call. */
  private static boolean call(SluiceClient client) {
    GenerateRequest.Builder request =
        GenerateOptions.text("x").temperature(0).maxTokens(TOKENS).toBuilder();
    request.getStoppingBuilder().setIgnoreEos(true);
    long sequence = 0;
    int tokens = 0;
    boolean finished = false;
    try {
      Iterator<GenerateResponse> answers =
          GenerationServiceGrpc.newBlockingStub(client.channel())
              .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
              .generate(request.build());
      while (answers.hasNext()) {
        GenerateResponse answer = answers.next();
        assertThat(answer.getSequence()).isEqualTo(++sequence);
        tokens += answer.getDelta().getTokenIdsCount();
        finished = answer.hasFinished();
      }
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() == Status.Code.UNAVAILABLE && sequence == 0) {
        return false;
      }
      throw e;
    }
    assertThat(finished).as("Finished came").isTrue();
    assertThat(tokens).as("tokens").isEqualTo(TOKENS);
    return true;
  }
}
