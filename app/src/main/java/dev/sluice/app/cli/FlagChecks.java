package dev.sluice.app.cli;

import java.time.Duration;

/** Checks of flags' values: each throws a {@link UsageException} with the flag and its value. */
public final class FlagChecks {
  private FlagChecks() {}

  public static void atLeast(String flag, long value, long least) {
    if (value < least) {
      throw new UsageException("%s: %d (expected: %d or more)".formatted(flag, value, least));
    }
  }

  public static void positive(String flag, double value) {
    if (!(value > 0)) {
      throw new UsageException(flag + ": " + value + " (expected: above 0)");
    }
  }

  public static void positive(String flag, Duration value) {
    if (!value.isPositive()) {
      throw new UsageException(flag + ": " + value + " (expected: above 0)");
    }
  }
}
