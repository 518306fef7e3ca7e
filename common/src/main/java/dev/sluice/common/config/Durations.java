package dev.sluice.common.config;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as people write them: {@code 500ms}, {@code 30s}, {@code 1.5h}. Never negative. */
public final class Durations {
  static final String EXPECTED = "a duration such as 500ms, 30s or 10m";

  private static final Pattern FORM = Pattern.compile("(\\d{1,19}(?:\\.\\d{1,9})?) ?([a-zµ]*)");
  private static final Map<String, Long> UNIT_NANOS =
      Map.of(
          "ns", 1L,
          "us", 1_000L,
          "µs", 1_000L,
          "ms", 1_000_000L,
          "s", 1_000_000_000L,
          "m", 60_000_000_000L,
          "h", 3_600_000_000_000L,
          "d", 86_400_000_000_000L);

  private Durations() {}

  /** Reads what {@link #format} writes; also fractions that are whole nanoseconds. */
  public static Duration parse(String text) {
    Matcher form = FORM.matcher(text.strip());
    if (form.matches()) {
      BigDecimal number = new BigDecimal(form.group(1));
      Long unit = UNIT_NANOS.get(form.group(2));
      try {
        if (unit != null) {
          return Duration.ofNanos(number.multiply(BigDecimal.valueOf(unit)).longValueExact());
        }
        if (form.group(2).isEmpty() && number.signum() == 0) {
          return Duration.ZERO;
        }
      } catch (ArithmeticException _) {
        // longer than 292 years, or part of a nanosecond: told below
      }
    }
    throw new IllegalArgumentException("\"" + text + "\" (expected: " + EXPECTED + ")");
  }

  /** The shortest exact form in one unit; {@code 0s} for none. */
  public static String format(Duration duration) {
    long nanos;
    try {
      nanos = duration.toNanos();
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(duration + " (expected: at most 292 years)", e);
    }
    if (nanos < 0) {
      throw new IllegalArgumentException(duration + " (expected: at least 0s)");
    }
    String[] units = {"d", "h", "m", "s", "ms", "us"};
    for (String unit : units) {
      long unitNanos = unitNanos(unit);
      if (nanos != 0 && nanos % unitNanos == 0) {
        return nanos / unitNanos + unit;
      }
    }
    return nanos == 0 ? "0s" : nanos + "ns";
  }

  private static long unitNanos(String unit) {
    Long nanos = UNIT_NANOS.get(unit);
    if (nanos == null) {
      throw new IllegalArgumentException(unit);
    }
    return nanos;
  }
}
