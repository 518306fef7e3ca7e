package dev.sluice.worker.triton;

/**
 * Predicts how long a newcomer waits, from what became of those before: places become free at the
 * rate at which requests end.
 *
 * <p>Threading: confined to its owner.
 */
final class WaitPredictor {
  private static final double WEIGHT = 0.1; // of the latest request in means

  private double firstNanos; // mean, from sent to the first output; 0 before there was any
  private double residenceNanos; // mean, from sent to the end

  /** A request got its first output so long after it was sent. */
  void first(long nanos) {
    firstNanos = mean(firstNanos, nanos);
  }

  /** A request was complete so long after it was sent. */
  void completed(long nanos) {
    residenceNanos = mean(residenceNanos, nanos);
  }

  private static double mean(double mean, long latest) {
    return mean == 0 ? latest : mean + WEIGHT * (latest - mean);
  }

  /**
   * Time to the first output of a newcomer; 0 if nothing is known yet.
   *
   * @param ahead requests that wait and are served first
   * @param running requests that Triton has
   * @param places requests that it may have
   */
  long ttftNanos(double ahead, int running, int places) {
    double lacking = Math.max(0, ahead + running + 1 - places);
    return (long) (firstNanos + lacking * placeNanos(running));
  }

  /** Time from the first output to the end. */
  long outputNanos() {
    return (long) Math.max(0, residenceNanos - firstNanos);
  }

  /** Time until half of those that wait have been sent. */
  long halfNanos(int waiting, int running) {
    return (long) (waiting * placeNanos(running) / 2);
  }

  private double placeNanos(int running) {
    return residenceNanos / Math.max(1, running);
  }
}
