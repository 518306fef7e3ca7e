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
   * token, changes nothing.
   *
   * @throws IllegalStateException if it cannot come here
   */
  public void accept(int token) {
    State next = constraint.next(state, token);
    if (next.isDead()) {
      throw new IllegalStateException("token " + token + " breaks the constraint");
    }
    state = next;
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

  /** A state that starts from here and goes its own way. */
  public ConstraintState fork() {
    return new ConstraintState(constraint, state);
  }
}
