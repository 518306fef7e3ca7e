package dev.sluice.app.simulate;

import static dev.sluice.app.cli.FlagChecks.atLeast;
import static dev.sluice.app.cli.FlagChecks.positive;

import dev.sluice.app.cli.OutputFormat;
import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.Terminal;
import dev.sluice.app.cli.TimingText;
import dev.sluice.app.cli.UsageException;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.engine.SchedulingConfig;
import dev.sluice.worker.engine.SchedulingPolicy;
import dev.sluice.worker.simulation.Arrival;
import dev.sluice.worker.simulation.CostModelRunner;
import dev.sluice.worker.simulation.Simulation;
import dev.sluice.worker.simulation.SimulationResult;
import dev.sluice.worker.simulation.VirtualClock;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs a trace through the real scheduler on a virtual clock. */
@Command(
    name = "simulate",
    description = {
      "Runs requests through a worker's scheduler and block pool on a virtual clock, and prints",
      "throughput and latencies: hours of load in seconds, and the same each time."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "A trace has a line of JSON for each request: timestamp (ms), input_length, output_length,",
      "and, if wanted, hash_ids, tenant, priority, ttft_target_ms, timeout_ms. Without one,",
      "requests are made up.",
      "To simulate this machine: sluice engine-bench > bench.jsonl; sluice simulate --cost"
          + " bench.jsonl"
    })
public final class SimulateCommand implements Callable<Integer> {
  private static final int MOST_TENANTS_SHOWN = 20;
  private static final long REDRAW_NANOS = 200_000_000;
  private static final long LINE_NANOS = 10_000_000_000L;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(arity = "0..1", paramLabel = "TRACE", description = "File of a trace.")
  private @Nullable Path trace;

  @Option(
      names = "--trace-speed",
      paramLabel = "X",
      description = "How many times as fast as recorded. Default: ${DEFAULT-VALUE}.")
  private double traceSpeed = 1;

  @Option(
      names = {"-n", "--requests"},
      paramLabel = "N",
      description = "Requests made up, or most read. Default: 10000, or the whole trace.")
  private @Nullable Long requests;

  @Option(
      names = {"-r", "--request-rate"},
      paramLabel = "X",
      description = "Requests per second (open loop, Poisson).")
  private @Nullable Double requestRate;

  @Option(
      names = {"-c", "--concurrency"},
      paramLabel = "N",
      description = "Requests at once (closed loop). Default without a rate: 256.")
  private @Nullable Integer concurrency;

  @Option(
      names = "--input-len",
      paramLabel = "N",
      description = "Mean prompt tokens, without prefix. Default: ${DEFAULT-VALUE}.")
  private int inputLength = 512;

  @Option(
      names = "--output-len",
      paramLabel = "N",
      description = "Mean output tokens. Default: ${DEFAULT-VALUE}.")
  private int outputLength = 64;

  @Option(
      names = "--prefix-len",
      paramLabel = "N",
      description = "Tokens of a shared prefix. Default: ${DEFAULT-VALUE}.")
  private int prefixLength;

  @Option(
      names = "--prefixes",
      paramLabel = "N",
      description = "Different shared prefixes. Default: ${DEFAULT-VALUE}.")
  private int prefixes = 1;

  @Option(
      names = "--tenants",
      paramLabel = "N",
      description = "Whose requests they are. Default: ${DEFAULT-VALUE}.")
  private int tenants = 1;

  @Option(
      names = "--ttft-target",
      paramLabel = "DURATION",
      description = "Time to first token that each request can live with. Default: any.")
  private Optional<Duration> ttftTarget = Optional.empty();

  @Option(
      names = "--timeout",
      paramLabel = "DURATION",
      description = "Time in which each request must be complete. Default: any.")
  private Optional<Duration> timeout = Optional.empty();

  @Option(
      names = "--cost",
      paramLabel = "MODEL",
      description =
          "Time of a step: cpu (the default model on 2 processors), gpu (8 billion parameters on"
              + " one), or a file of engine-bench's lines. Default: ${DEFAULT-VALUE}.")
  private String cost = "cpu";

  @Option(
      names = "--noise",
      paramLabel = "X",
      description = "Spread of a step's time, such as 0.05. Default: ${DEFAULT-VALUE}.")
  private double noise;

  @Option(
      names = "--scheduling",
      paramLabel = "ORDER",
      description = "fair or fcfs. Default: ${DEFAULT-VALUE}.")
  private SchedulingPolicy scheduling = SchedulingPolicy.FAIR;

  @Option(
      names = "--itl-goal",
      paramLabel = "DURATION",
      description = "Inter-token latency that running streams shall keep. Default: none.")
  private Optional<Duration> itlGoal = Optional.empty();

  @Mixin private EngineSize size = new EngineSize(1 << 18);

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of requests and noise. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Mixin private OutputFormat output = new OutputFormat();

  private final Map<String, SimulationResult> byTenant = new TreeMap<>();

  @Override
  public Integer call() throws IOException {
    check();
    VirtualClock clock = new VirtualClock();
    Geometry geometry = size.geometry(Simulation.VOCABULARY);
    CostModelRunner runner =
        new CostModelRunner(geometry, CostOption.read(cost), clock, noise, seed);
    Simulation simulation = new Simulation(runner, clock, config(), places(), this::group);
    long start = System.nanoTime();
    Style style = new Style(Terminal.ofProcess().drawsOnErr());
    Progress progress = new Progress(simulation.result(), style, start);
    if (trace != null) {
      try (TraceReader reader =
          TraceReader.open(trace, most(Long.MAX_VALUE), traceSpeed, extras())) {
        simulation.run(reader, progress);
      }
    } else {
      simulation.run(new GeneratedArrivals(mix()), progress);
    }
    progress.end();
    report(simulation.result(), System.nanoTime() - start);
    return ExitCode.OK;
  }

  private EngineConfig config() {
    SchedulingConfig order = SchedulingConfig.defaults().with(scheduling);
    if (itlGoal.isPresent()) {
      order = order.withItlGoal(itlGoal.get());
    }
    return new EngineConfig(
            size.maxWaitingRequests(),
            Long.MAX_VALUE / 2,
            Integer.MAX_VALUE,
            Duration.ofSeconds(1),
            false,
            1,
            1)
        .with(order);
  }

  private GeneratedArrivals.Mix mix() {
    return new GeneratedArrivals.Mix(
        most(10_000),
        requestRate == null ? Double.POSITIVE_INFINITY : requestRate,
        inputLength,
        outputLength,
        size.contextLength(),
        tenants,
        prefixes,
        prefixLength,
        extras().ttftTargetNanos(),
        extras().timeoutNanos(),
        seed);
  }

  private TraceReader.Extras extras() {
    return new TraceReader.Extras(
        ttftTarget.map(t -> OptionalLong.of(t.toNanos())).orElse(OptionalLong.empty()),
        timeout.map(t -> OptionalLong.of(t.toNanos())).orElse(OptionalLong.empty()));
  }

  private long most(long otherwise) {
    return requests == null ? otherwise : requests;
  }

  private long places() {
    if (concurrency != null) {
      return concurrency;
    }
    return trace == null && requestRate == null ? 256 : Long.MAX_VALUE;
  }

  private SimulationResult group(Arrival arrival) {
    return byTenant.computeIfAbsent(arrival.tenant(), _ -> new SimulationResult());
  }

  private void report(SimulationResult result, long realNanos) {
    boolean show = byTenant.size() > 1 && byTenant.size() <= MOST_TENANTS_SHOWN;
    SimulationReport report = new SimulationReport(result, show ? byTenant : Map.of());
    PrintWriter out = spec.commandLine().getOut();
    if (output.json()) {
      out.println(report.json().put("real_duration", realNanos / 1e9));
    } else {
      report.print(out);
      out.println();
      out.println("Simulated in " + TimingText.duration(realNanos) + ".");
    }
    out.flush();
  }

  private void check() {
    if (concurrency != null && requestRate != null) {
      throw new UsageException("--concurrency and --request-rate (expected: one of them)");
    }
    if (requestRate != null) {
      positive("--request-rate", requestRate);
    }
    if (requestRate != null && trace != null) {
      throw new UsageException("--request-rate beside a trace (expected: --trace-speed)");
    }
    positive("--trace-speed", traceSpeed);
    if (!(noise >= 0 && noise <= 1)) {
      throw new UsageException("--noise: " + noise + " (expected: 0 to 1)");
    }
    atLeast("--requests", most(1), 1);
    atLeast("--concurrency", concurrency == null ? 1 : concurrency, 1);
    atLeast("--input-len", inputLength, 1);
    atLeast("--output-len", outputLength, 1);
    atLeast("--prefix-len", prefixLength, 0);
    atLeast("--prefixes", prefixes, 1);
    atLeast("--tenants", tenants, 1);
    size.check(2L * prefixLength + 16);
    itlGoal.ifPresent(t -> positive("--itl-goal", t));
    ttftTarget.ifPresent(t -> positive("--ttft-target", t));
    timeout.ifPresent(t -> positive("--timeout", t));
  }

  /** Redraws a line on a terminal, else writes one every ten seconds. */
  private final class Progress implements Runnable {
    private final SimulationResult result;
    private final Style style;
    private final long start;
    private long last;

    Progress(SimulationResult result, Style style, long start) {
      this.result = result;
      this.style = style;
      this.start = start;
      this.last = start;
    }

    @Override
    public void run() {
      long now = System.nanoTime();
      if (now - last < (style.on() ? REDRAW_NANOS : LINE_NANOS)) {
        return;
      }
      last = now;
      PrintWriter err = spec.commandLine().getErr();
      String line =
          String.format(
              Locale.ROOT,
              "%d requests ended, %s of simulated time in %s",
              result.completed() + result.failed(),
              Duration.ofSeconds(result.endNanos() / 1_000_000_000),
              TimingText.duration(now - start));
      err.print(style.on() ? style.redraw(0) + line : line + System.lineSeparator());
      err.flush();
    }

    void end() {
      PrintWriter err = spec.commandLine().getErr();
      err.print(style.redraw(0));
      err.flush();
    }
  }
}
