package dev.sluice.common.config;

/**
 * The effective configuration of a process.
 *
 * @param config what its parts are built from
 */
public record Loaded<T extends Record>(T config) {
  /** For {@code --print-config}: a file that loads to the same configuration. */
  public String toYaml() {
    return YamlWriter.write(config);
  }
}
