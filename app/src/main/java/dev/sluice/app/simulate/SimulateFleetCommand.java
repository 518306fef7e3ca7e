package dev.sluice.app.simulate;

import static dev.sluice.app.cli.FlagChecks.atLeast;
import static dev.sluice.app.cli.FlagChecks.positive;

import dev.sluice.app.cli.FailedException;
import dev.sluice.app.cli.UsageException;
import dev.sluice.common.error.ListenException;
import dev.sluice.common.server.Lifecycle;
import dev.sluice.worker.simulation.ByteTokenizer;
import dev.sluice.worker.simulation.CostModel;
import dev.sluice.worker.simulation.SimulatedFleet;
import dev.sluice.worker.simulation.SimulatedWorkerOptions;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Workers without a model, for tests and benchmarks of routers and clients. */
@Command(
    name = "simulate-fleet",
    description = {
      "Runs many workers in this process, each on a port of its own, until Ctrl-C: real engine,",
      "scheduler, cache and services, but no model. Steps take the time that they are told to."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Prints their addresses in one line, as a router takes them:",
      "  sluice router --workers 127.0.0.1:9101,127.0.0.1:9102",
      "Tokens are bytes; what is generated is a function of prompt and seed, and makes no sense."
    })
public final class SimulateFleetCommand implements Callable<Integer> {
  private static final Duration CLOSING = Duration.ofSeconds(15);
  private static final int HIGHEST_PORT = 65_535;
  private static final int MOST_WORKERS = 1_024;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--workers",
      paramLabel = "N",
      description = "How many, 1 to " + MOST_WORKERS + ". Default: ${DEFAULT-VALUE}.")
  private int workers = 4;

  @Option(
      names = "--port",
      paramLabel = "N",
      description =
          "Port of the first; each further one has the next. 0: any free ones. Default:"
              + " ${DEFAULT-VALUE}.")
  private int port = 9101;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      description = "What they say they serve. Default: ${DEFAULT-VALUE}.")
  private String model = "simulated";

  @Option(
      names = "--step",
      paramLabel = "DURATION",
      description = "Time of every step, whatever is in it; instead of --cost.")
  private Optional<Duration> step = Optional.empty();

  @Option(
      names = "--cost",
      paramLabel = "MODEL",
      description =
          "Time of a step: cpu, gpu, or a file of engine-bench's lines. Default:"
              + " ${DEFAULT-VALUE}.")
  private String cost = "gpu";

  @Mixin private EngineSize size = new EngineSize(1 << 16);

  @Option(
      names = "--prefix-cache",
      paramLabel = "BOOL",
      arity = "1",
      description = "Whether prompts that begin alike share blocks. Default: ${DEFAULT-VALUE}.")
  private boolean prefixCache = true;

  @Option(
      names = "--event-loops",
      paramLabel = "N",
      description = "Threads that do socket I/O for all of them. Default: ${DEFAULT-VALUE}.")
  private int eventLoops = 2;

  @Option(
      names = "--stop-grace",
      paramLabel = "DURATION",
      description = "Time that running requests have when it stops. Default: 1s.")
  private Duration stopGrace = Duration.ofSeconds(1);

  @Override
  public Integer call() throws InterruptedException {
    check();
    try (Lifecycle lifecycle = new Lifecycle(stopGrace.plus(CLOSING))) {
      lifecycle.stopOnSignals();
      SimulatedFleet fleet =
          lifecycle.add("fleet", SimulatedFleet.start(workers, port, eventLoops, options()));
      PrintWriter out = spec.commandLine().getOut();
      out.println("workers " + String.join(",", fleet.addresses()));
      out.flush();
      lifecycle.awaitStop();
      return ExitCode.OK;
    } catch (ListenException e) {
      throw new FailedException(String.valueOf(e.getMessage()), e);
    }
  }

  private SimulatedWorkerOptions options() {
    return new SimulatedWorkerOptions(
        model,
        size.geometry(ByteTokenizer.SIZE),
        step.map(time -> new CostModel((double) time.toNanos(), 0, 0, 0, 0))
            .orElseGet(() -> CostOption.read(cost)),
        size.maxWaitingRequests(),
        prefixCache,
        stopGrace);
  }

  private void check() {
    atLeast("--workers", workers, 1);
    if (workers > MOST_WORKERS) {
      throw new UsageException("--workers: " + workers + " (expected: 1 to " + MOST_WORKERS + ")");
    }
    if (port < 0 || (port > 0 && port + workers - 1 > HIGHEST_PORT)) {
      throw new UsageException(
          "--port: "
              + port
              + " (expected: 0, or 1 to "
              + (HIGHEST_PORT - workers + 1)
              + " with "
              + workers
              + " workers)");
    }
    step.ifPresent(time -> positive("--step", time));
    size.check(2);
    atLeast("--event-loops", eventLoops, 1);
  }
}
