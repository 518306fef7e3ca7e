package dev.sluice.worker.engine;

/**
 * How likely a sequence's drafts are accepted, as the latest ones were, and how long to let it be
 * when they are not.
 *
 * <p>Threading: engine thread. Allocates nothing.
 */
final class DraftAcceptance {
  private static final double MEMORY = 0.85;
  private static final int FIRST_PAUSE = 8; // matches
  private static final int LONGEST_PAUSE = 256;

  private double accepted = 0.5; // drafts, of the latest
  private double rejected = 0.5;
  private int pause = FIRST_PAUSE;
  private int paused;

  /** Probability that a draft is accepted if all before it were. */
  double probability() {
    return accepted / (accepted + rejected);
  }

  /**
   * Whether to try a draft although it does not seem to pay: now and then, since texts change.
   * Called for every match that is let be.
   */
  boolean isDue() {
    if (++paused < pause) {
      return false;
    }
    paused = 0;
    pause = Math.min(LONGEST_PAUSE, 2 * pause);
    return true;
  }

  /** So many of the drafts of a step were accepted. */
  void observe(int drafts, int acceptedDrafts) {
    accepted = MEMORY * accepted + acceptedDrafts;
    rejected = MEMORY * rejected + (acceptedDrafts < drafts ? 1 : 0);
    if (acceptedDrafts > 0) {
      pause = FIRST_PAUSE;
      paused = 0;
    }
  }
}
