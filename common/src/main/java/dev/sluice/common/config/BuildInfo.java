package dev.sluice.common.config;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.Properties;

/** What the build wrote down about itself. */
public final class BuildInfo {
  private BuildInfo() {}

  /** The version of this build, such as {@code 0.1.0}. */
  public static String version() {
    try (InputStream in =
        Objects.requireNonNull(BuildInfo.class.getResourceAsStream("build.properties"))) {
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version", "unknown");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
