package dev.sluice.app.bench;

import static dev.sluice.app.cli.FlagChecks.atLeast;
import static dev.sluice.app.cli.FlagChecks.positive;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.app.cli.AtExit;
import dev.sluice.app.cli.FailedException;
import dev.sluice.app.cli.OutputFormat;
import dev.sluice.app.cli.ServerOptions;
import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.Terminal;
import dev.sluice.app.cli.UsageException;
import dev.sluice.client.RetryPolicy;
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

/** Sends load to a fleet, or to a server of others, and prints what its users see. */
@Command(
    name = "bench",
    description =
        "Sends load to a router, a worker or another server and prints what its users see.",
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
  @Mixin private HttpOptions http = new HttpOptions();
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

  @Mixin private RequestOptions requests = new RequestOptions();

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

  @Option(
      names = "--plot",
      paramLabel = "FILE",
      description = "Also draws the times and the throughput, as SVG.")
  private @Nullable Path plot;

  @Mixin private OutputFormat output = new OutputFormat();

  @Override
  public Integer call() throws InterruptedException {
    Workload work = workload.workload();
    Pace pace = pace();
    List<Slo> slos = Slo.parse(goodput);
    check();
    CountDownLatch reported = new CountDownLatch(1);
    try (Backend backend = connect()) {
      TokenSource tokens = new TokenSource(backend.vocabularySize(), seed);
      warmUp(backend, work, tokens);
      long start = System.nanoTime();
      LongSupplier clock = () -> System.nanoTime() - start;
      Recorder recorder = new Recorder(clock);
      LoadDriver driver =
          new LoadDriver(
              backend.sender(clock, recorder::addTokens),
              pace,
              MAX_IN_FLIGHT,
              clock,
              recorder::add);
      Thread runner = Thread.currentThread();
      try (AtExit _ = AtExit.run(() -> end(driver, backend, runner, reported))) {
        try (LoadProgress progress = progress(recorder, clock, work.size())) {
          progress.start();
          driver.run(
              work.jobs(tokens),
              tokens.random(Long.MIN_VALUE),
              duration.map(Duration::toNanos).orElse(Long.MAX_VALUE));
        }
        report(backend, pace, recorder, slos, work.size());
      } finally {
        reported.countDown();
      }
      return recorder.ended() > recorder.failed() ? ExitCode.OK : ExitCode.SOFTWARE;
    }
  }

  private Backend connect() {
    if (http.given()) {
      if (spec.commandLine().getParseResult().hasMatchedOption("--target")) {
        throw new UsageException("--target and --base-url (expected: one of them)");
      }
      return http.connect(requests, server.timeout());
    }
    http.checkAbsent();
    // a refusal is a result, not something to try again
    return new GrpcBackend(
        server.connect(RetryPolicy.DEFAULTS.withPushBacks(0)), requests.template());
  }

  /** Ctrl-C: what runs is cancelled, and what is known is printed. */
  private static void end(
      LoadDriver driver, Backend backend, Thread runner, CountDownLatch reported) {
    driver.stop();
    LockSupport.unpark(runner);
    backend.close();
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

  /** With prompts of another seed, so that nothing of them is found in the cache. */
  private void warmUp(Backend backend, Workload work, TokenSource tokens) {
    if (warmUp == 0) {
      return;
    }
    Sender sender = backend.sender(() -> 0, _ -> {});
    TokenSource others = new TokenSource(tokens.vocabularySize(), ~seed);
    Iterator<Job> jobs = work.jobs(others);
    for (int i = 0; i < warmUp && jobs.hasNext(); i++) {
      Job job = jobs.next();
      Outcome outcome = sender.talk(job).send(job.turns().getFirst(), 0);
      if (!outcome.completed()) {
        throw new FailedException("the first request failed: " + outcome.described());
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

  private void report(Backend backend, Pace pace, Recorder recorder, List<Slo> slos, int jobs) {
    Report report = new Report(recorder.summary(slos), percentiles, !slos.isEmpty());
    ObjectNode head = described(backend, pace, jobs);
    PrintWriter out = spec.commandLine().getOut();
    if (output.json()) {
      out.println(joined(head, report.json(List.of())));
      out.flush();
    } else {
      report.print(out);
    }
    if (save != null) {
      write("--save", save, joined(head, report.json(recorder.outcomes())) + "\n");
    }
    if (plot != null) {
      write("--plot", plot, Plot.of(title(backend, pace), recorder));
    }
  }

  private static String joined(ObjectNode head, ObjectNode figures) {
    ObjectNode all = head.deepCopy();
    all.setAll(figures);
    return all.toString();
  }

  private static void write(String flag, Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new FailedException(flag + ": " + file + " cannot be written: " + e.getMessage(), e);
    }
  }

  private String title(Backend backend, Pace pace) {
    String model = backend.model().isEmpty() ? "" : backend.model() + ", ";
    return model + workload.name() + ", " + pace.described();
  }

  /** What was measured. */
  private ObjectNode described(Backend backend, Pace pace, int jobs) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("date", Instant.now().toString());
    json.put("backend", backend.name());
    json.put("model_id", backend.model());
    json.put("num_prompts", jobs * workload.requestsPerJob());
    switch (pace) {
      case Pace.Closed(int places) ->
          json.put("request_rate", "inf").put("max_concurrency", places);
      case Pace.Poisson(double perSecond) ->
          json.put("request_rate", perSecond).putNull("max_concurrency");
      case Pace.Recorded _ -> json.putNull("request_rate").putNull("max_concurrency");
    }
    json.put("arguments", String.join(" ", spec.commandLine().getParseResult().originalArgs()));
    return json;
  }
}
