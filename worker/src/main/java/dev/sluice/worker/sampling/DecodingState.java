package dev.sluice.worker.sampling;

import java.lang.foreign.MemorySegment;

/**
 * What the choice of a token depends on beside the model: the parameters of the request and what
 * its choice has output so far. A function of parameters, prompt and output alone, so that a choice
 * which goes on elsewhere has the same.
 *
 * <p>Threading: {@link #accept} by the engine thread between two steps; {@link #apply} by the
 * thread that chooses the token. Allocates only as more different tokens are seen, and nothing if
 * there are no penalties.
 */
public final class DecodingState {
  private final SamplingParams params;
  private final TokenCounts counts;

  private DecodingState(SamplingParams params, TokenCounts counts) {
    this.params = params;
    this.counts = counts;
  }

  /** The state of a choice without output. */
  public static DecodingState start(SamplingParams params, int[] prompt) {
    TokenCounts counts = new TokenCounts();
    if (params.penalties().countPrompt()) {
      for (int token : prompt) {
        counts.addPrompt(token);
      }
    }
    return new DecodingState(params, counts);
  }

  public SamplingParams params() {
    return params;
  }

  /** Takes the next output token into account. */
  public void accept(int token) {
    if (!params.penalties().areOff()) {
      counts.addOutput(token);
    }
  }

  /** A state that starts from here and goes its own way. */
  public DecodingState fork() {
    return new DecodingState(params, counts.copy());
  }

  /** Whether {@link #apply} changes anything. */
  public boolean changesLogits() {
    return !params.rules().areNone() || !params.penalties().areOff();
  }

  /**
   * Applies bias, allowed and banned tokens, and penalties, in this order.
   *
   * @param rowStart index of the row's first logit
   * @param tokens of the row
   */
  public void apply(MemorySegment logits, long rowStart, int tokens) {
    if (!params.rules().areNone()) {
      params.rules().apply(logits, rowStart, tokens);
    }
    if (!params.penalties().areOff()) {
      counts.apply(params.penalties(), logits, rowStart);
    }
  }
}
