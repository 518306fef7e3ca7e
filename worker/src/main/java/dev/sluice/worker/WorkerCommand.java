package dev.sluice.worker;

import dev.sluice.common.config.ConfigException;
import dev.sluice.common.config.ConfigLoader;
import dev.sluice.common.config.Flags;
import dev.sluice.common.config.Loaded;
import dev.sluice.common.error.ListenException;
import dev.sluice.worker.model.ModelFileException;
import dev.sluice.worker.model.ModelStoreException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** {@code sluice worker}: one worker in the foreground. */
@Command(
    name = "worker",
    description = {
      "Serves one model on this machine until it is told to stop.",
      "Every key of the configuration is a flag too: --engine.threads 2; see --print-config."
    },
    mixinStandardHelpOptions = true,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:stopped as asked",
      "1:failed, such as a port in use",
      "2:wrong usage, configuration or model file"
    })
public final class WorkerCommand implements Callable<Integer> {
  @Option(names = "--config", paramLabel = "FILE", description = "YAML file with settings.")
  private Optional<Path> config = Optional.empty();

  @Option(names = "--print-config", description = "Prints the settings in effect, and ends.")
  private boolean printConfig;

  @Option(
      names = "--port-file",
      paramLabel = "FILE",
      description = "Where the ports are written once the worker listens.")
  private Optional<Path> portFile = Optional.empty();

  @Option(names = "--model", description = "Short for --model.name.")
  private @Nullable String model;

  @Option(names = "--port", description = "Short for --server.port; 0: any free one.")
  private @Nullable String port;

  @Option(names = "--quantization", description = "Short for --model.quantization.")
  private @Nullable String quantization;

  @Option(names = "--threads", description = "Short for --engine.threads.")
  private @Nullable String threads;

  @Unmatched private List<String> others = new ArrayList<>();

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    CommandLine commandLine = java.util.Objects.requireNonNull(spec).commandLine();
    PrintWriter err = commandLine.getErr();
    Loaded<WorkerConfig> loaded;
    try {
      Map<String, String> flags = Flags.parse(WorkerConfig.class, flags());
      loaded =
          ConfigLoader.load(
              WorkerConfig.class, WorkerConfig.defaults(), config, System.getenv(), flags);
    } catch (ConfigException e) {
      return failed(err, e, 2);
    }
    if (printConfig) {
      commandLine.getOut().print(loaded.toYaml());
      commandLine.getOut().flush();
      return 0;
    }
    try {
      WorkerMain.run(loaded.config(), portFile);
      return 0;
    } catch (ListenException e) {
      return failed(err, e, 1);
    } catch (ModelFileException | ModelStoreException e) {
      return failed(err, e, 2);
    }
  }

  private List<String> flags() {
    List<String> flags = new ArrayList<>(others);
    add(flags, "model.name", model);
    add(flags, "server.port", port);
    add(flags, "model.quantization", quantization);
    add(flags, "engine.threads", threads);
    return flags;
  }

  private static void add(List<String> flags, String key, @Nullable String value) {
    if (value != null) {
      flags.add("--" + key + "=" + value);
    }
  }

  private static int failed(PrintWriter err, Exception e, int code) {
    err.println("sluice worker: " + e.getMessage());
    err.flush();
    return code;
  }
}
