package dev.sluice.common.config;

import java.time.Duration;

/** What the compact constructors of configuration records check; messages begin with the key. */
public final class Checks {
  private Checks() {}

  /**
   * Refuses values outside of {@code min} to {@code max}, both allowed.
   *
   * @throws IllegalArgumentException such as {@code max-sequences: 0 (expected: 1 to 4096)}
   */
  public static <T extends Comparable<T>> void range(String key, T value, T min, T max) {
    if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
      throw new IllegalArgumentException(
          key + ": " + text(value) + " (expected: " + text(min) + " to " + text(max) + ")");
    }
  }

  /** Refuses values below {@code min}, as {@link #range} does. */
  public static <T extends Comparable<T>> void atLeast(String key, T value, T min) {
    if (value.compareTo(min) < 0) {
      throw new IllegalArgumentException(
          key + ": " + text(value) + " (expected: at least " + text(min) + ")");
    }
  }

  /** Refuses a text of nothing but white space. */
  public static void notBlank(String key, String value, String expected) {
    if (value.isBlank()) {
      throw new IllegalArgumentException(key + ": \"" + value + "\" (expected: " + expected + ")");
    }
  }

  private static String text(Object value) {
    return value instanceof Duration duration && !duration.isNegative()
        ? Durations.format(duration)
        : value.toString();
  }
}
