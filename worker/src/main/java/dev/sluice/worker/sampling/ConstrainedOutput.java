package dev.sluice.worker.sampling;

import dev.sluice.worker.constraint.ConstraintState;
import dev.sluice.worker.kernel.LogitMask;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * An output that must conform to a constraint. Tokens that end it can come exactly where it
 * conforms as it is.
 *
 * <p>Threading: as {@link DecodingState}. Allocates nothing where other outputs have been before.
 */
final class ConstrainedOutput {
  private final ConstraintState state;
  private final int[] endings;
  private final float[] logitsOfEndings; // scratch

  ConstrainedOutput(ConstraintState state, int[] endings) {
    this.state = state;
    this.endings = endings;
    this.logitsOfEndings = new float[endings.length];
  }

  void accept(int token) {
    state.accept(token);
  }

  /** Whether it conforms and nothing else may follow. */
  boolean isDone() {
    return state.isDone();
  }

  ConstrainedOutput fork() {
    return new ConstrainedOutput(state.fork(), endings);
  }

  /**
   * Bans the tokens that cannot come next.
   *
   * @param rowStart index of the row's first logit
   * @param tokens of the row
   */
  void apply(MemorySegment logits, long rowStart, int tokens) {
    boolean mayEnd = state.isAccepting();
    for (int i = 0; mayEnd && i < endings.length; i++) {
      logitsOfEndings[i] = logits.getAtIndex(ValueLayout.JAVA_FLOAT, rowStart + endings[i]);
    }
    LogitMask.keep(logits, rowStart, tokens, state.allowed());
    for (int i = 0; mayEnd && i < endings.length; i++) {
      if (endings[i] < tokens) {
        logits.setAtIndex(ValueLayout.JAVA_FLOAT, rowStart + endings[i], logitsOfEndings[i]);
      }
    }
  }
}
