package dev.sluice.worker.constraint;

/**
 * Where one output stands with its constraint.
 *
 * <p>Threading: one thread at a time. Allocates nothing where other outputs have been before.
 */
public final class ConstraintState {
  private final Constraint constraint;
  private State state;

  ConstraintState(Constraint constraint, State state) {
    this.constraint = constraint;
    this.state = state;
  }

  /**
   * Takes the next output token into account; one that is no text, such as an end-of-sequence
   * token, changes nothing. After one that cannot come, no other can.
   */
  public void accept(int token) {
    state = constraint.next(state, token);
  }

  /** Whether the token can come here. */
  public boolean allows(int token) {
    return constraint.isText(token) && !constraint.next(state, token).isDead();
  }

  /** Whether the output conforms as it is, so that it may end. */
  public boolean isAccepting() {
    return state.accepting;
  }

  /** Whether the output conforms and nothing else may follow. */
  public boolean isDone() {
    return state.accepting && state.points.length == 0;
  }

  /**
   * The tokens that may come next: bit {@code token % 64} of word {@code token / 64}. Not to be
   * changed. Tokens that are no text are not among them.
   */
  public long[] allowed() {
    return constraint.allowed(state);
  }

  /** Whether {@link #allowed} is known already. */
  boolean isPrepared() {
    return state.mask != null;
  }

  /** A state that starts from here and goes its own way. */
  public ConstraintState fork() {
    return new ConstraintState(constraint, state);
  }
}
