package dev.sluice.worker.engine;

import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The requests that have a deadline, the next one first.
 *
 * <p>Threading: engine thread. Asking who has expired allocates nothing.
 */
final class Deadlines {
  private final TreeSet<Request> requests = new TreeSet<>(Deadlines::compare);

  void add(Request request) {
    if (request.task().deadlineNanos().isPresent()) {
      requests.add(request);
    }
  }

  void remove(Request request) {
    if (request.task().deadlineNanos().isPresent()) {
      requests.remove(request);
    }
  }

  /** A request whose deadline has come, if there is one. */
  @Nullable Request expired(long nowNanos) {
    if (requests.isEmpty()) {
      return null;
    }
    Request first = requests.first();
    return nanos(first) - nowNanos <= 0 ? first : null;
  }

  private static long nanos(Request request) {
    return request.task().deadlineNanos().orElseThrow();
  }

  private static int compare(Request a, Request b) {
    int byDeadline = Long.signum(nanos(a) - nanos(b)); // readings of a clock may wrap around
    return byDeadline != 0 ? byDeadline : Long.compare(a.serial(), b.serial());
  }
}
