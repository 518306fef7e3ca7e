package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.app.fleet.Distribution;
import dev.sluice.app.fleet.FleetEvent;
import dev.sluice.app.fleet.LocalFleet;
import dev.sluice.app.fleet.LocalFleetOptions;
import dev.sluice.app.system.Sluice.Result;
import dev.sluice.client.GenerateOptions;
import dev.sluice.client.SluiceClient;
import dev.sluice.client.TokenStream;
import dev.sluice.v1.FleetServiceGrpc;
import dev.sluice.v1.FleetServiceGrpc.FleetServiceBlockingStub;
import dev.sluice.v1.FleetState;
import dev.sluice.v1.FleetWorker;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.ListWorkersRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Requests through a router to two workers, all of them processes. */
final class FleetIT {
  private static final GenerateRequest FRANCE =
      GenerateOptions.chat("What is the capital of France?").temperature(0).maxTokens(24).build();

  private static final FleetStates STATES = new FleetStates();
  private static LocalFleet fleet;
  private static String target;
  private static SluiceClient client;

  /** The latest of what the router tells. */
  private static final class FleetStates {
    private List<FleetWorker> workers = List.of(); // guarded by this

    synchronized void accept(FleetEvent event) {
      if (event instanceof FleetEvent.Workers(List<FleetWorker> now)) {
        workers = now;
        notifyAll();
      }
    }

    synchronized List<FleetWorker> await(Predicate<List<FleetWorker>> wanted) throws Exception {
      long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(3);
      while (!wanted.test(workers)) {
        long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        assertThat(left).as("time left; the router says " + workers).isPositive();
        wait(left);
      }
      return workers;
    }
  }

  @BeforeAll
  static void start() throws Exception {
    Path logs = Files.createTempDirectory("sluice-it-");
    fleet =
        new LocalFleet(
            new Distribution(Sluice.distribution()),
            new LocalFleetOptions(
                2, "smollm2-135m", 0, List.of(), List.of(), Duration.ofSeconds(5), logs),
            STATES::accept);
    target = fleet.start();
    fleet.awaitReady(Duration.ofMinutes(4));
    client = SluiceClient.create(target);
  }

  @AfterAll
  static void stop() {
    if (client != null) {
      client.close();
    }
    if (fleet != null) {
      fleet.close();
      assertThat(fleet.workerPids()).noneMatch(FleetIT::alive);
    }
  }

  private static boolean alive(long pid) {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }

  @Test
  void generatesFromTheCommandLine() throws Exception {
    Result result =
        Sluice.run(
            "generate",
            "What is the capital of France?",
            "--temperature=0",
            "--max-tokens=24",
            "--stats",
            "--target",
            target);
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.out()).contains("Paris");
    assertThat(result.err()).contains("queue ", "TTFT ", "ITL ", "tokens/s");
  }

  @Test
  void allViolationsInOneLine() throws Exception {
    Result result =
        Sluice.run("generate", "x", "--temperature=9", "--top-p=0", "--n=17", "--target", target);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.out()).isEmpty();
    assertThat(result.err().lines()).hasSize(1);
    assertThat(result.err())
        .contains("INVALID_ARGUMENT", "temperature: 9", "top_p: 0", "n: 17", "expected: ");
  }

  @Test
  void interruptEndsTheCommandAndTheRequest() throws Exception {
    try (Sluice generate =
        Sluice.start("generate", "Count.", "--ignore-eos", "--output=json", "--target", target)) {
      generate.awaitOut(line -> line.contains("\"delta\""));
      generate.signal("INT");
      Result result = generate.await();
      assertThat(result.code()).isEqualTo(130);
      assertThat(result.err()).isEmpty();
    }
    STATES.await(FleetIT::idle);
  }

  @Test
  void deadlineEndsTheRequest() throws Exception {
    Result result =
        Sluice.run("generate", "Count.", "--ignore-eos", "--timeout=5s", "--target", target);
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.err()).contains("DEADLINE_EXCEEDED");
    STATES.await(FleetIT::idle);
  }

  private static boolean idle(List<FleetWorker> workers) {
    return workers.stream()
        .allMatch(w ->
            w.getLoad().getRunningRequests() == 0
                && w.getLoad().getWaitingRequests() == 0
                && w.getLoad().getKvBlocksOwned() == 0);
  }

  private static boolean allReady(List<FleetWorker> workers) {
    return workers.size() == 2
        && workers.stream().allMatch(w -> w.getState() == FleetState.FLEET_STATE_READY);
  }

  @Test
  void clientSeesNothingOfAWorkerThatDiesBeforeItsFirstToken() throws Exception {
    STATES.await(workers -> allReady(workers) && idle(workers));
    String expected;
    String home; // has its prompt cached: others like it go there
    try (TokenStream stream = client.generate(FRANCE)) {
      expected = stream.readText();
      home = stream.started().orElseThrow().getWorkerId();
    }
    long victim = fleet.workerPids().get(Integer.parseInt(home.substring("worker-".length())) - 1);
    // A stopped process accepts what is sent to it and answers nothing: its request has no token.
    Sluice.signal(victim, "STOP");
    List<CompletableFuture<String>> answers = Stream.generate(FleetIT::ask).limit(4).toList();
    awaitRequestAt(home);
    Sluice.signal(victim, "KILL");
    for (CompletableFuture<String> answer : answers) {
      assertThat(answer.get(2, TimeUnit.MINUTES)).isEqualTo(expected);
    }
    STATES.await(FleetIT::allReady); // it was started again
    assertThat(fleet.workerPids().getFirst()).isNotEqualTo(victim);
  }

  /** Waits until the router has sent something to a worker. */
  private static void awaitRequestAt(String worker) {
    FleetServiceBlockingStub router =
        FleetServiceGrpc.newBlockingStub(client.channel()).withDeadlineAfter(1, TimeUnit.MINUTES);
    while (router.listWorkers(ListWorkersRequest.getDefaultInstance()).getWorkersList().stream()
        .noneMatch(w -> w.getIdentity().getWorkerId().equals(worker) && w.getInFlight() > 0)) {
      Thread.onSpinWait();
    }
  }

  /** The text of one answer, if its messages are numbered as they should be. */
  private static CompletableFuture<String> ask() {
    CompletableFuture<String> answer = new CompletableFuture<>();
    Thread.startVirtualThread(() -> {
      try (TokenStream stream = client.generate(FRANCE)) {
        StringBuilder text = new StringBuilder();
        long sequence = 0;
        for (GenerateResponse message : stream) {
          assertThat(message.getSequence()).isEqualTo(++sequence);
          text.append(message.getDelta().getText());
        }
        answer.complete(text.toString());
      } catch (RuntimeException | AssertionError e) {
        answer.completeExceptionally(e);
      }
    });
    return answer;
  }
}
