package dev.sluice.worker;

import dev.sluice.common.config.ConfigException;
import dev.sluice.common.config.ConfigLoader;
import dev.sluice.common.config.Flags;
import dev.sluice.common.config.Loaded;
import dev.sluice.common.error.ListenException;
import dev.sluice.worker.model.ModelFileException;
import dev.sluice.worker.model.ModelStoreException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/**
 * {@code sluice worker}. Exit codes: 0 stopped when asked, 1 could not run, 2 wrong usage,
 * configuration or model file.
 */
@Command(
    name = "worker",
    description = "Runs a worker: serves one model on this machine.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Every key of the configuration is also a flag (--engine.max-sequences 8) and an environment",
      "variable (SLUICE_ENGINE_MAX_SEQUENCES). Flags override the environment, it overrides the",
      "file. --print-config shows all keys with their values."
    })
public final class WorkerCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--config", paramLabel = "FILE", description = "Configuration, YAML.")
  private Optional<Path> config = Optional.empty();

  @Option(
      names = "--model",
      paramLabel = "NAME",
      description =
          "Catalogue name or model file. Default: smollm2-135m, fetched if needed. (--model.name)")
  private Optional<String> model = Optional.empty();

  @Option(
      names = "--quantization",
      paramLabel = "MODE",
      description = "How weights are held: none or int8-block. (--model.quantization)")
  private Optional<String> quantization = Optional.empty();

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that compute. Default: all processors. (--engine.threads)")
  private Optional<String> threads = Optional.empty();

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "Port for gRPC; 0 takes a free one. Default: 9091. (--server.port)")
  private Optional<String> port = Optional.empty();

  @Option(
      names = "--port-file",
      paramLabel = "FILE",
      description = "Writes the ports in use there once the worker listens.")
  private Optional<String> portFile = Optional.empty();

  @Option(names = "--print-config", description = "Prints the effective configuration and ends.")
  private boolean printConfig;

  @Unmatched private List<String> keys = new ArrayList<>();

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    Loaded<WorkerConfig> loaded;
    try {
      loaded =
          ConfigLoader.load(
              WorkerConfig.class,
              WorkerConfig.defaults(),
              config,
              System.getenv(),
              Flags.parse(WorkerConfig.class, flags()));
    } catch (ConfigException e) {
      return failed(err, e, ExitCode.USAGE);
    }
    if (printConfig) {
      out.print(loaded.toYaml());
      out.flush();
      return ExitCode.OK;
    }
    try {
      WorkerMain.run(loaded.config());
      return ExitCode.OK;
    } catch (ListenException | IOException e) {
      return failed(err, e, ExitCode.SOFTWARE);
    } catch (ModelFileException | ModelStoreException e) {
      return failed(err, e, ExitCode.USAGE);
    }
  }

  /** What was given, all as keys of the configuration. */
  private List<String> flags() {
    List<String> flags = new ArrayList<>(keys);
    model.ifPresent(value -> flags.add("--model.name=" + value));
    quantization.ifPresent(value -> flags.add("--model.quantization=" + value));
    threads.ifPresent(value -> flags.add("--engine.threads=" + value));
    port.ifPresent(value -> flags.add("--server.port=" + value));
    portFile.ifPresent(value -> flags.add("--port-file=" + value));
    return flags;
  }

  private static int failed(PrintWriter err, Exception e, int code) {
    err.println(e.getMessage());
    err.flush();
    return code;
  }
}
