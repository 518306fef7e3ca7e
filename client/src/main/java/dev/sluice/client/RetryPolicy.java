package dev.sluice.client;

import java.time.Duration;

/**
 * What a client does when a router is lost or refuses for the moment. A stream that has begun goes
 * on at another router, or at the same one once it is back, where it broke off: nothing is missing
 * and nothing comes twice. All of it ends with the call's deadline.
 *
 * @param pushBacks times that a call that has not begun is made again when the server says when
 *     that is worth it; 0 or more
 * @param startTimeout how long a call that has not begun looks for a router that can be reached;
 *     every target is tried once even if it is zero
 * @param resumeTimeout how long a stream that has begun looks for a router that goes on with it;
 *     zero: it fails with its router
 * @param backoffInitial pause when every target has failed; doubles each time
 * @param backoffMax longest such pause
 */
public record RetryPolicy(
    int pushBacks,
    Duration startTimeout,
    Duration resumeTimeout,
    Duration backoffInitial,
    Duration backoffMax) {
  /** 3 push-backs, every target once before the start, 30 s to find a router afterwards. */
  public static final RetryPolicy DEFAULTS =
      new RetryPolicy(
          3, Duration.ZERO, Duration.ofSeconds(30), Duration.ofMillis(100), Duration.ofSeconds(2));

  public RetryPolicy {
    if (pushBacks < 0) {
      throw new IllegalArgumentException("pushBacks: " + pushBacks + " (expected: 0 or more)");
    }
    notNegative("startTimeout", startTimeout);
    notNegative("resumeTimeout", resumeTimeout);
    if (!backoffInitial.isPositive()) {
      throw new IllegalArgumentException(
          "backoffInitial: " + backoffInitial.toMillis() + " ms (expected: above 0 ms)");
    }
    if (backoffMax.compareTo(backoffInitial) < 0) {
      throw new IllegalArgumentException(
          "backoffMax: "
              + backoffMax.toMillis()
              + " ms (expected: at least backoffInitial, "
              + backoffInitial.toMillis()
              + " ms)");
    }
  }

  /** The same with so many push-backs; with none, every refusal is the caller's. */
  public RetryPolicy withPushBacks(int newPushBacks) {
    return new RetryPolicy(newPushBacks, startTimeout, resumeTimeout, backoffInitial, backoffMax);
  }

  /** The same with other limits of the search for a router. */
  public RetryPolicy withTimeouts(Duration newStartTimeout, Duration newResumeTimeout) {
    return new RetryPolicy(
        pushBacks, newStartTimeout, newResumeTimeout, backoffInitial, backoffMax);
  }

  private static void notNegative(String name, Duration value) {
    if (value.isNegative()) {
      throw new IllegalArgumentException(
          name + ": " + value.toMillis() + " ms (expected: 0 ms or more)");
    }
  }
}
