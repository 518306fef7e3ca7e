package dev.sluice.router;

import dev.sluice.common.config.ConfigException;
import dev.sluice.common.config.ConfigOptions;
import dev.sluice.common.error.ListenException;
import dev.sluice.common.security.SecurityFileException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
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
      "--print-config shows all keys with their values. The keys below tenants are read again when",
      "the file of --config changes, and on SIGHUP.",
      "TLS, API keys and identities: --tls.certificate, --auth.keys and others, docs/security.md."
    })
public final class RouterCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private ConfigOptions options = new ConfigOptions();
  @Unmatched private List<String> keys = new ArrayList<>();

  @Option(
      names = "--workers",
      paramLabel = "SOURCE,...",
      description = {
        "Where the workers are, each HOST:PORT, or dns:///HOST:PORT for all addresses of a name,",
        "or kubernetes:///SERVICE.NAMESPACE:PORT for the endpoints of a service.",
        "Default: 127.0.0.1:9091."
      })
  private Optional<String> workers = Optional.empty();

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "Port for clients; 0 takes a free one. Default: 9090. (--server.port)")
  private Optional<String> port = Optional.empty();

  @Option(
      names = "--http-port",
      paramLabel = "N",
      description =
          "Port of the OpenAI-compatible API and of the live page; 0 takes a free one."
              + " Default: 8080. (--http.port)")
  private Optional<String> httpPort = Optional.empty();

  @Override
  public Integer call() throws InterruptedException {
    CommandLine commandLine = spec.commandLine();
    Optional<RouterConfig> config;
    try {
      config =
          options
              .with(keys)
              .with("workers", workers)
              .with("server.port", port)
              .with("http.port", httpPort)
              .load(RouterConfig.class, RouterConfig.defaults(), commandLine);
    } catch (ConfigException e) {
      return ConfigOptions.failed(commandLine, e, ExitCode.USAGE);
    }
    if (config.isEmpty()) {
      return ExitCode.OK;
    }
    try (RouterMain router = RouterMain.start(config.get())) {
      Optional<ConfigReload> reload = follow(config.get(), router);
      router.awaitStop();
      reload.ifPresent(ConfigReload::close);
      return ExitCode.OK;
    } catch (SecurityFileException e) {
      return ConfigOptions.failed(commandLine, e, ExitCode.USAGE);
    } catch (ListenException | IOException e) {
      return ConfigOptions.failed(commandLine, e, ExitCode.SOFTWARE);
    }
  }

  /** Without a file nothing can change. */
  private Optional<ConfigReload> follow(RouterConfig first, RouterMain router) {
    return options
        .file()
        .map(file ->
            ConfigReload.start(
                file,
                first,
                () -> options.loadAgain(RouterConfig.class, RouterConfig.defaults()),
                router::reconfigure));
  }
}
