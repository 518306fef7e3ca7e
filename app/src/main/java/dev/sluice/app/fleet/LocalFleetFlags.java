package dev.sluice.app.fleet;

import dev.sluice.app.cli.UsageException;
import dev.sluice.app.model.ProgressBar;
import dev.sluice.worker.model.ModelStore;
import dev.sluice.worker.runner.MemoryLimit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Flags of the commands that start a fleet on this machine. */
public final class LocalFleetFlags {
  private static final Duration STOP_GRACE = Duration.ofSeconds(5);

  @Option(
      names = "--workers",
      paramLabel = "N",
      description = "Workers. Default: ${DEFAULT-VALUE}.")
  private int workers = 2;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "A name from `sluice model list`, or a file. Default: ${DEFAULT-VALUE}.")
  private String model = "smollm2-135m";

  @Option(
      names = "--quantization",
      paramLabel = "HOW",
      description =
          "How weights are held: none, int8, int8-block, int4-block. Default: the worker's, int8.")
  private @Nullable String quantization;

  @Option(
      names = "--worker-flag",
      paramLabel = "FLAG",
      description = "A flag for every worker, such as --kv-cache.memory=1GiB. Repeatable.")
  private List<String> workerFlags = List.of();

  @Option(
      names = "--router-flag",
      paramLabel = "FLAG",
      description = "A flag for the router, such as --policy=round-robin. Repeatable.")
  private List<String> routerFlags = List.of();

  /** Fetches the model if it is not here. */
  public void pull(ProgressBar progress) {
    ModelStore.of(System.getenv()).resolve(model, progress);
  }

  public int workers() {
    return workers;
  }

  public String model() {
    return model;
  }

  private static boolean isMemory(String flag) {
    return flag.startsWith("--memory") || flag.startsWith("--kv-cache.memory");
  }

  /** What is to be started; makes a folder for its logs. */
  public LocalFleetOptions options(int routerPort) {
    List<String> workerArguments = new ArrayList<>(workerFlags);
    if (quantization != null) {
      workerArguments.add("--quantization=" + quantization);
    }
    if (workerFlags.stream().noneMatch(LocalFleetFlags::isMemory)) {
      // A worker alone would plan with all of it.
      workerArguments.add("--memory=" + MemoryLimit.ofProcess().budget(Math.max(1, workers)));
    }
    Path logs;
    try {
      logs = Files.createTempDirectory("sluice-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    try {
      return new LocalFleetOptions(
          workers, model, routerPort, workerArguments, routerFlags, STOP_GRACE, logs);
    } catch (IllegalArgumentException e) {
      throw new UsageException("--" + e.getMessage(), e);
    }
  }
}
