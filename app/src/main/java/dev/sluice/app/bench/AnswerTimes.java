package dev.sluice.app.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;

/**
 * When the parts of one answer came.
 *
 * <p>Threading: the thread that reads the answer.
 */
final class AnswerTimes {
  private final long due;
  private final LongSupplier clock;
  private final IntConsumer onTokens;
  private final List<Long> gaps = new ArrayList<>();
  private boolean begun;
  private long first;
  private long last;

  /**
   * @param due when the request was to be sent, in nanoseconds after the start
   * @param clock nanoseconds since the start
   * @param onTokens hears of tokens as they come
   */
  AnswerTimes(long due, LongSupplier clock, IntConsumer onTokens) {
    this.due = due;
    this.clock = clock;
    this.onTokens = onTokens;
  }

  /** A message with so many tokens is here. */
  void came(int tokens) {
    long now = clock.getAsLong();
    if (begun) {
      gaps.add(now - last);
    } else {
      first = now;
      begun = true;
    }
    last = now;
    onTokens.accept(tokens);
  }

  /** The answer is complete. */
  Outcome completed(int promptTokens, int cachedTokens, int outputTokens) {
    return outcome(promptTokens, cachedTokens, outputTokens, "", "");
  }

  /**
   * There will be no more of it.
   *
   * @param failure what failures are counted by
   * @param detail more of it, for people; may be empty
   */
  Outcome failed(
      int promptTokens, int cachedTokens, int outputTokens, String failure, String detail) {
    return outcome(promptTokens, cachedTokens, outputTokens, failure, detail);
  }

  private Outcome outcome(
      int promptTokens, int cachedTokens, int outputTokens, String failure, String detail) {
    return new Outcome(
        due,
        begun ? first - due : 0,
        gaps,
        clock.getAsLong() - due,
        promptTokens,
        cachedTokens,
        outputTokens,
        failure,
        detail);
  }
}
