package dev.sluice.app.cli;

import java.io.PrintWriter;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;

/** How reports of many figures are written. */
public final class Figures {
  private Figures() {}

  /** A title and a value behind it, in columns. */
  public static void row(PrintWriter out, String title, String format, Object value) {
    out.printf(Locale.ROOT, "%-44s %14s%n", title, String.format(Locale.ROOT, format, value));
  }

  /** With three digits behind the point; what is not finite is 0. */
  public static BigDecimal rounded(double value) {
    return Double.isFinite(value)
        ? BigDecimal.valueOf(value).setScale(3, RoundingMode.HALF_UP)
        : BigDecimal.ZERO;
  }
}
