package dev.sluice.app.bench;

import static dev.sluice.app.cli.FlagChecks.atLeast;
import static dev.sluice.app.cli.FlagChecks.positive;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.util.Durations;
import dev.sluice.app.cli.AtExit;
import dev.sluice.app.cli.FailedException;
import dev.sluice.app.cli.OutputFormat;
import dev.sluice.app.cli.ServerOptions;
import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.Terminal;
import dev.sluice.app.cli.UsageException;
import dev.sluice.client.RetryPolicy;
import dev.sluice.client.SluiceClient;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.Model;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Sends load to a fleet and prints what its users see. */
@Command(
    name = "bench",
    description = "Sends load to a router or worker and prints throughput and latencies.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "With --concurrency a request is sent when another ends (closed loop); with --request-rate",
      "requests come at random times whether or not others have ended (open loop, Poisson). Times",
      "count from when a request was due. Ctrl-C ends the measurement and prints what there is.",
      "JSON has the keys of `vllm bench serve`."
    })
public final class BenchCommand implements Callable<Integer> {
  private static final int MAX_IN_FLIGHT = 10_000;
  private static final long REPORT_SECONDS = 10; // to print it after Ctrl-C

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private ServerOptions server = new ServerOptions();
  @Mixin private WorkloadOptions workload = new WorkloadOptions();

  @Option(
      names = {"-c", "--concurrency"},
      paramLabel = "N",
      description = "Requests at once (closed loop). Default: 8, if no rate is given.")
  private @Nullable Integer concurrency;

  @Option(
      names = {"-r", "--request-rate"},
      paramLabel = "X",
      description = "Requests, or conversations, per second (open loop).")
  private @Nullable Double requestRate;

  @Option(
      names = "--trace-speed",
      paramLabel = "X",
      description = "How many times as fast as recorded. Default: ${DEFAULT-VALUE}.")
  private double traceSpeed = 1;

  @Option(
      names = "--duration",
      paramLabel = "DURATION",
      description = "No request begins later, such as 3m. Default: all are sent.")
  private Optional<Duration> duration = Optional.empty();

  @Option(
      names = "--warm-up",
      paramLabel = "N",
      description =
          "Requests sent before, one by one, that do not count. Default: ${DEFAULT-VALUE}.")
  private int warmUp = 1;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of prompts, lengths and arrivals. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "ID",
      description = "Model or alias. Default: the only one served.")
  private String model = "";

  @Option(
      names = "--temperature",
      paramLabel = "X",
      description = "0 to 2. Default: ${DEFAULT-VALUE}, greedy.")
  private float temperature;

  @Option(
      names = "--honour-eos",
      description = "Answers may end early, at the end-of-sequence token.")
  private boolean honourEos;

  @Option(names = "--tenant", paramLabel = "NAME", description = "Whose requests they are.")
  private String tenant = "";

  @Option(names = "--priority", paramLabel = "N", description = "-100 to 100; higher first.")
  private int priority;

  @Option(
      names = "--ttft-target",
      paramLabel = "DURATION",
      description = "Asks for refusal at once of what would have its first token later.")
  private @Nullable Duration ttftTarget;

  @Option(
      names = "--goodput",
      paramLabel = "METRIC:MS",
      split = ",",
      description = "What a good request keeps: ttft, tpot, itl (longest) or e2el. Repeatable.")
  private List<String> goodput = List.of();

  @Option(
      names = "--percentiles",
      paramLabel = "P",
      split = ",",
      description = "Of the times, beside the median. Default: 90,95,99.")
  private List<Double> percentiles = List.of(90.0, 95.0, 99.0);

  @Option(
      names = "--save",
      paramLabel = "FILE",
      description = "Also writes the figures, and every request's times, as JSON.")
  private @Nullable Path save;

  @Mixin private OutputFormat output = new OutputFormat();

  @Override
  public Integer call() throws InterruptedException {
    Workload work = workload.workload();
    Pace pace = pace();
    List<Slo> slos = Slo.parse(goodput);
    check();
    CountDownLatch reported = new CountDownLatch(1);
    // a refusal is a result, not something to try again
    try (SluiceClient client = server.connect(RetryPolicy.DEFAULTS.withPushBacks(0))) {
      TokenSource tokens = new TokenSource(vocabularySize(client), seed);
      warmUp(client, work, tokens);
      long start = System.nanoTime();
      LongSupplier clock = () -> System.nanoTime() - start;
      Recorder recorder = new Recorder(clock);
      LoadDriver driver =
          new LoadDriver(
              new Sender(client, template(), clock, recorder::addTokens),
              pace,
              MAX_IN_FLIGHT,
              clock,
              recorder::add);
      Thread runner = Thread.currentThread();
      try (AtExit _ = AtExit.run(() -> end(driver, client, runner, reported))) {
        try (LoadProgress progress = progress(recorder, clock, work.size())) {
          progress.start();
          driver.run(
              work.jobs(tokens),
              tokens.random(Long.MIN_VALUE),
              duration.map(Duration::toNanos).orElse(Long.MAX_VALUE));
        }
        report(recorder, slos, work.size());
      } finally {
        reported.countDown();
      }
      return recorder.ended() > recorder.failed() ? ExitCode.OK : ExitCode.SOFTWARE;
    }
  }

  /** Ctrl-C: what runs is cancelled, and what is known is printed. */
  private static void end(
      LoadDriver driver, SluiceClient client, Thread runner, CountDownLatch reported) {
    driver.stop();
    LockSupport.unpark(runner);
    client.close();
    try {
      if (!reported.await(REPORT_SECONDS, TimeUnit.SECONDS)) {
        Thread.currentThread().interrupt();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Pace pace() {
    if (workload.recorded() && requestRate == null && concurrency == null) {
      positive("--trace-speed", traceSpeed);
      return new Pace.Recorded(traceSpeed);
    }
    if (requestRate != null && concurrency != null) {
      throw new UsageException("--concurrency and --request-rate (expected: one of them)");
    }
    if (requestRate != null) {
      positive("--request-rate", requestRate);
      return new Pace.Poisson(requestRate);
    }
    int places = concurrency == null ? 8 : concurrency;
    atLeast("--concurrency", places, 1);
    return new Pace.Closed(places);
  }

  private void check() {
    for (double percent : percentiles) {
      if (!(percent > 0 && percent <= 100)) {
        throw new UsageException("--percentiles: " + percent + " (expected: above 0 to 100)");
      }
    }
    atLeast("--warm-up", warmUp, 0);
  }

  private int vocabularySize(SluiceClient client) {
    List<Model> models = client.listModels();
    return models.stream()
        .filter(
            m -> model.isEmpty() || m.getId().equals(model) || m.getAliasesList().contains(model))
        .findFirst()
        .orElseThrow(() ->
            new UsageException(
                "--model: %s (expected: one of %s)"
                    .formatted(model, models.stream().map(Model::getId).toList())))
        .getVocabularySize();
  }

  private GenerateRequest template() {
    GenerateRequest.Builder request =
        GenerateRequest.newBuilder()
            .setModel(model)
            .setTenant(tenant)
            .setPriority(priority)
            .setSampling(Sampling.newBuilder().setTemperature(temperature))
            .setStopping(Stopping.newBuilder().setIgnoreEos(!honourEos));
    Optional.ofNullable(ttftTarget)
        .ifPresent(t -> request.setTtftTarget(Durations.fromNanos(t.toNanos())));
    return request.build();
  }

  /** With prompts of another seed, so that nothing of them is found in the cache. */
  private void warmUp(SluiceClient client, Workload work, TokenSource tokens) {
    if (warmUp == 0) {
      return;
    }
    Sender sender = new Sender(client, template(), () -> 0, _ -> {});
    TokenSource others = new TokenSource(tokens.vocabularySize(), ~seed);
    Iterator<Job> jobs = work.jobs(others);
    for (int i = 0; i < warmUp && jobs.hasNext(); i++) {
      Job job = jobs.next();
      Outcome outcome = sender.talk(job).send(job.turns().getFirst(), 0);
      if (!outcome.completed()) {
        throw new FailedException("the first request failed: " + outcome.failure());
      }
    }
  }

  private LoadProgress progress(Recorder recorder, LongSupplier clock, int jobs) {
    return new LoadProgress(
        spec.commandLine().getErr(),
        new Style(Terminal.ofProcess().drawsOnErr()),
        recorder,
        clock,
        jobs * workload.requestsPerJob());
  }

  private void report(Recorder recorder, List<Slo> slos, int jobs) {
    Report report = new Report(recorder.summary(slos), percentiles, !slos.isEmpty());
    PrintWriter out = spec.commandLine().getOut();
    if (output.json()) {
      out.println(described(report.json(List.of()), jobs));
      out.flush();
    } else {
      report.print(out);
    }
    if (save != null) {
      try {
        Files.writeString(save, described(report.json(recorder.outcomes()), jobs) + "\n");
      } catch (IOException e) {
        throw new FailedException("--save: " + save + " cannot be written: " + e.getMessage());
      }
    }
  }

  /** What was measured, with the figures behind. */
  private ObjectNode described(ObjectNode figures, int jobs) {
    ObjectNode json = figures.objectNode();
    json.put("date", Instant.now().toString());
    json.put("backend", "sluice");
    json.put("num_prompts", jobs * workload.requestsPerJob());
    json.put("arguments", String.join(" ", spec.commandLine().getParseResult().originalArgs()));
    json.setAll(figures);
    return json;
  }
}
