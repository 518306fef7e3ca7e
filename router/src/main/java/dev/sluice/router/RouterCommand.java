package dev.sluice.router;

import dev.sluice.common.config.ConfigException;
import dev.sluice.common.config.ConfigLoader;
import dev.sluice.common.config.Flags;
import dev.sluice.common.config.Loaded;
import dev.sluice.common.error.ListenException;
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

/** {@code sluice router}. Exit codes: 0 stopped when asked, 1 could not run, 2 wrong usage. */
@Command(
    name = "router",
    description = "Runs a router: one address for clients, in front of many workers.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Every key of the configuration is also a flag (--proxy.max-attempts 3) and an environment",
      "variable (SLUICE_PROXY_MAX_ATTEMPTS). Flags override the environment, it overrides the"
          + " file.",
      "--print-config shows all keys with their values."
    })
public final class RouterCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--config", paramLabel = "FILE", description = "Configuration, YAML.")
  private Optional<Path> config = Optional.empty();

  @Option(
      names = "--workers",
      paramLabel = "HOST:PORT,...",
      description = "Addresses of the workers. Default: 127.0.0.1:9091.")
  private Optional<String> workers = Optional.empty();

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "Port for clients; 0 takes a free one. Default: 9090. (--server.port)")
  private Optional<String> port = Optional.empty();

  @Option(
      names = "--port-file",
      paramLabel = "FILE",
      description = "Writes the ports in use there once the router listens.")
  private Optional<String> portFile = Optional.empty();

  @Option(names = "--print-config", description = "Prints the effective configuration and ends.")
  private boolean printConfig;

  @Unmatched private List<String> keys = new ArrayList<>();

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    Loaded<RouterConfig> loaded;
    try {
      loaded =
          ConfigLoader.load(
              RouterConfig.class,
              RouterConfig.defaults(),
              config,
              System.getenv(),
              Flags.parse(RouterConfig.class, flags()));
    } catch (ConfigException e) {
      err.println(e.getMessage());
      err.flush();
      return ExitCode.USAGE;
    }
    if (printConfig) {
      out.print(loaded.toYaml());
      out.flush();
      return ExitCode.OK;
    }
    try (RouterMain router = RouterMain.start(loaded.config())) {
      router.awaitStop();
      return ExitCode.OK;
    } catch (ListenException | IOException e) {
      err.println(e.getMessage());
      err.flush();
      return ExitCode.SOFTWARE;
    }
  }

  /** What was given, all as keys of the configuration. */
  private List<String> flags() {
    List<String> flags = new ArrayList<>(keys);
    workers.ifPresent(value -> flags.add("--workers=" + value));
    port.ifPresent(value -> flags.add("--server.port=" + value));
    portFile.ifPresent(value -> flags.add("--port-file=" + value));
    return flags;
  }
}
