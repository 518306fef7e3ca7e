package dev.sluice.common.config;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * What every command that runs a process has on its command line: a file, short flags for the keys
 * that all have, and each key of the configuration as a flag. A mixin for picocli.
 */
public final class ConfigOptions {
  @Option(names = "--config", paramLabel = "FILE", description = "Configuration, YAML.")
  private Optional<Path> file = Optional.empty();

  @Option(
      names = "--port-file",
      paramLabel = "FILE",
      description = "Writes the ports in use there once the process listens.")
  private Optional<String> portFile = Optional.empty();

  @Option(
      names = "--admin-port",
      paramLabel = "N",
      description =
          "Port of channelz, for looking into connections; 0 takes a free one. Default: none."
              + " (--admin.port)")
  private Optional<String> adminPort = Optional.empty();

  @Option(names = "--print-config", description = "Prints the effective configuration and ends.")
  private boolean printConfig;

  private final List<String> keys = new ArrayList<>();

  /** The arguments that picocli does not know: keys. (It leaves those out of a mixin itself.) */
  public ConfigOptions with(List<String> unmatched) {
    keys.addAll(unmatched);
    return this;
  }

  /** A short flag for a key: adds it if it was given. */
  public ConfigOptions with(String key, Optional<String> value) {
    value.ifPresent(given -> keys.add("--" + key + "=" + given));
    return this;
  }

  /**
   * The effective configuration; empty if it was asked to be printed, which has been done.
   *
   * @throws ConfigException with every problem found
   */
  public <T extends Record> Optional<T> load(Class<T> type, T defaults, CommandLine commandLine) {
    with("port-file", portFile).with("admin.port", adminPort);
    Loaded<T> loaded =
        ConfigLoader.load(type, defaults, file, System.getenv(), Flags.parse(type, keys));
    if (!printConfig) {
      return Optional.of(loaded.config());
    }
    PrintWriter out = commandLine.getOut();
    out.print(loaded.toYaml());
    out.flush();
    return Optional.empty();
  }

  /** The file that was named, if one was. */
  public Optional<Path> file() {
    return file;
  }

  /**
   * What {@link #load} has read, read again: the file may have changed since.
   *
   * @throws ConfigException with every problem found
   */
  public <T extends Record> T loadAgain(Class<T> type, T defaults) {
    return ConfigLoader.load(type, defaults, file, System.getenv(), Flags.parse(type, keys))
        .config();
  }

  /** Tells why the command ends with this exit code. */
  public static int failed(CommandLine commandLine, Exception why, int code) {
    commandLine.getErr().println(why.getMessage());
    commandLine.getErr().flush();
    return code;
  }
}
