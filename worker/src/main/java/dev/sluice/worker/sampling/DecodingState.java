package dev.sluice.worker.sampling;

import dev.sluice.worker.constraint.Constraint;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

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
  private final Optional<ConstrainedOutput> constrained;

  private DecodingState(
      SamplingParams params, TokenCounts counts, Optional<ConstrainedOutput> constrained) {
    this.params = params;
    this.counts = counts;
    this.constrained = constrained;
  }

  /** The state of a choice without output, and without a constraint. */
  public static DecodingState start(SamplingParams params, int[] prompt) {
    return start(params, prompt, Optional.empty(), new int[0]);
  }

  /**
   * The state of a choice without output.
   *
   * @param constraint what the output must conform to
   * @param endings tokens that end it
   */
  public static DecodingState start(
      SamplingParams params, int[] prompt, Optional<Constraint> constraint, int[] endings) {
    TokenCounts counts = new TokenCounts();
    if (params.penalties().countPrompt()) {
      for (int token : prompt) {
        counts.addPrompt(token);
      }
    }
    return new DecodingState(
        params, counts, constraint.map(c -> new ConstrainedOutput(c.start(), endings)));
  }

  public SamplingParams params() {
    return params;
  }

  /** Takes the next output token into account. */
  public void accept(int token) {
    if (!params.penalties().areOff()) {
      counts.addOutput(token);
    }
    if (constrained.isPresent()) {
      constrained.get().accept(token);
    }
  }

  /** Whether there is a constraint, to which the output conforms, and nothing else may follow. */
  public boolean isDone() {
    return constrained.isPresent() && constrained.get().isDone();
  }

  /** Whether there is a constraint: where no token is left to choose, it has come to a dead end. */
  public boolean isConstrained() {
    return constrained.isPresent();
  }

  /** A state that starts from here and goes its own way. */
  public DecodingState fork() {
    return new DecodingState(params, counts.copy(), constrained.map(ConstrainedOutput::fork));
  }

  /** Whether {@link #apply} depends on what was output, so that a token must wait for the last. */
  public boolean dependsOnOutput() {
    return !params.penalties().areOff() || constrained.isPresent();
  }

  /** Whether {@link #apply} changes anything. */
  public boolean changesLogits() {
    return !params.rules().areNone() || !params.penalties().areOff() || constrained.isPresent();
  }

  /**
   * Applies bias, allowed and banned tokens, penalties, and the constraint, in this order.
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
    if (constrained.isPresent()) {
      constrained.get().apply(logits, rowStart, tokens);
    }
  }
}
