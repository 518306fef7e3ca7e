package dev.sluice.app.cli;

import dev.sluice.v1.Timings;
import dev.sluice.v1.Usage;
import java.util.Locale;

/** Timings for people. */
public final class TimingText {
  private TimingText() {}

  /** Nanoseconds in a unit that suits them: {@code 840 µs}, {@code 12.3 ms}, {@code 4.56 s}. */
  public static String duration(long nanos) {
    if (nanos < 1_000_000) {
      return String.format(Locale.ROOT, "%.0f µs", nanos / 1e3);
    }
    if (nanos < 1_000_000_000) {
      return String.format(Locale.ROOT, "%.1f ms", nanos / 1e6);
    }
    return String.format(Locale.ROOT, "%.2f s", nanos / 1e9);
  }

  /** Output tokens per second of decoding: of the tokens after the first one of each choice. */
  public static String decodeRate(Timings timings) {
    return timings.getItlMeanNanos() == 0
        ? "-"
        : String.format(Locale.ROOT, "%.1f tokens/s", 1e9 / timings.getItlMeanNanos());
  }

  /** All on one line. */
  public static String line(Usage usage, Timings timings) {
    return "queue "
        + duration(timings.getAdmissionWaitNanos() + timings.getQueueNanos())
        + " · prefill "
        + duration(timings.getPrefillNanos())
        + " ("
        + usage.getPromptTokens()
        + " tokens, "
        + usage.getCachedPromptTokens()
        + " cached) · TTFT "
        + duration(timings.getTtftNanos())
        + " · ITL "
        + duration(timings.getItlMeanNanos())
        + " (max "
        + duration(timings.getItlMaxNanos())
        + ") · "
        + usage.getOutputTokens()
        + " tokens · "
        + decodeRate(timings)
        + " · total "
        + duration(timings.getE2ENanos());
  }
}
