package dev.sluice.app.model;

import dev.sluice.app.cli.FlagChecks;
import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.Terminal;
import dev.sluice.worker.bench.EngineBench;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.model.ModelStore;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The engine's speed on this machine, without scheduler and network. */
@Command(
    name = "engine-bench",
    description = "Measures the engine on this machine: one line of JSON per workload.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class EngineBenchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "A name from `sluice model list`, or a file. Default: ${DEFAULT-VALUE}.")
  private String model = "smollm2-135m";

  @Mixin private PrecisionOptions precision = new PrecisionOptions();

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that compute. Default: all processors, here ${DEFAULT-VALUE}.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(names = "--quick", description = "Fewer repeats.")
  private boolean quick;

  @Option(
      names = "--roofline",
      description = "Also the least time in which this machine could compute the prompts.")
  private boolean roofline;

  @Option(names = "--profile", description = "Also what the engine spends a step on.")
  private boolean profile;

  @Option(
      names = "--speculation",
      description =
          "Instead, what speculative decoding makes of one stream, on ordinary and repetitive"
              + " text.")
  private boolean speculation;

  @Override
  public Integer call() throws InterruptedException {
    Quantization how = precision.quantization();
    KvType kv = precision.kvType();
    FlagChecks.atLeast("--threads", threads, 1);
    Path file;
    try (ProgressBar progress =
        new ProgressBar(
            spec.commandLine().getErr(),
            new Style(Terminal.ofProcess().drawsOnErr()),
            System::nanoTime)) {
      file = ModelStore.of(System.getenv()).resolve(model, progress);
    }
    PrintStream out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    EngineBench.run(
        new EngineBench.Options(file, how, kv, threads, quick, roofline, profile, speculation),
        out);
    return ExitCode.OK;
  }
}
