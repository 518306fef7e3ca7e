package dev.sluice.app.bench;

import dev.sluice.app.cli.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a request must keep to count as good: a service level objective.
 *
 * @param metric of the request
 * @param millis at most
 */
record Slo(Metric metric, double millis) {
  /** A time of one request. */
  enum Metric {
    TTFT,
    TPOT,
    ITL,
    E2EL
  }

  /**
   * Reads objectives such as {@code ttft:200,itl:50}.
   *
   * @throws UsageException if it is none
   */
  static List<Slo> parse(List<String> texts) {
    List<Slo> slos = new ArrayList<>();
    for (String text : texts) {
      int colon = text.indexOf(':');
      try {
        Metric metric =
            Metric.valueOf(text.substring(0, Math.max(0, colon)).toUpperCase(Locale.ROOT));
        slos.add(new Slo(metric, Double.parseDouble(text.substring(colon + 1))));
      } catch (IllegalArgumentException e) {
        throw new UsageException(
            "--goodput: %s (expected: ttft, tpot, itl or e2el, a colon, and milliseconds)"
                .formatted(text),
            e);
      }
    }
    return List.copyOf(slos);
  }

  /** Whether a request kept it; one that failed kept nothing. */
  boolean kept(Outcome outcome) {
    double nanos =
        switch (metric) {
          case TTFT -> outcome.ttft();
          case TPOT -> outcome.tpot();
          case ITL -> outcome.gaps().stream().mapToLong(gap -> gap).max().orElse(0);
          case E2EL -> outcome.e2e();
        };
    return outcome.completed() && nanos <= millis * 1e6;
  }
}
