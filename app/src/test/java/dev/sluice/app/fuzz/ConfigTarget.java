package dev.sluice.app.fuzz;

import dev.sluice.common.config.ConfigException;
import dev.sluice.common.config.ConfigLoader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Configuration comes from people: what is wrong must be told, whatever it is. */
final class ConfigTarget<T extends Record> implements FuzzTarget {
  private final Class<T> type;
  private final T defaults;
  private final List<String> seeds;
  private final Path file;

  /**
   * @param folder for the file that is read, fast if possible
   */
  ConfigTarget(Class<T> type, T defaults, List<String> seeds, Path folder) {
    this.type = type;
    this.defaults = defaults;
    this.seeds = seeds;
    file = folder.resolve("fuzz.yaml");
  }

  @Override
  public List<String> seeds() {
    return seeds;
  }

  @Override
  public List<String> dictionary() {
    return List.of(
        ": ",
        "- ",
        "\n",
        "  ",
        "&a ",
        "*a",
        "<<: *a",
        "!!int ",
        "!!java.net.URL ",
        "|\n",
        ">\n",
        "{",
        "}",
        "[",
        "]",
        "#",
        "'",
        "\"",
        "---\n",
        "~",
        "yes",
        "10ms",
        "-1s",
        "5GiB",
        "0.5",
        "server",
        "port",
        "\t",
        "workers",
        "tenants",
        "policy",
        "? ");
  }

  @Override
  public boolean take(byte[] input) throws IOException {
    Files.write(file, input);
    try {
      return ConfigLoader.load(type, defaults, Optional.of(file), Map.of(), Map.of()) != null;
    } catch (ConfigException e) {
      return false;
    }
  }

  @Override
  public void close() {}
}
