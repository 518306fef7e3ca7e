package dev.sluice.worker.engine;

import dev.sluice.common.fair.Backlog;
import dev.sluice.common.fair.FairEntry;
import dev.sluice.common.fair.FairQueue;
import org.jspecify.annotations.Nullable;

/**
 * Who comes first: the requests that wait, in a {@link FairQueue}, and those that run, compared
 * with them.
 *
 * <p>Threading: engine thread. Allocates only for new requests and tenants.
 */
final class RequestOrder {
  /** So often a request may lose its blocks before others lose theirs instead. */
  private static final int PROTECTED = 3;

  private final SchedulingConfig config;
  private final boolean fair;
  private final FairQueue<Request> queue;

  RequestOrder(SchedulingConfig config) {
    this.config = config;
    this.fair = config.isFair();
    this.queue = config.newQueue();
  }

  int size() {
    return queue.size();
  }

  /**
   * Queues a request that is new.
   *
   * @param tokens of its prompt that will be computed
   */
  void add(Request request, int tokens, long nowNanos) {
    GenerationTask task = request.task();
    FairEntry<Request> entry =
        queue.open(
            request,
            config.tenant(task),
            config.priority(task),
            config.weight(task),
            request.serial());
    request.place = entry;
    queue.add(entry, tokens, nowNanos);
  }

  /** Queues a request that has run; it finds its old place. */
  void putBack(Request request, long nowNanos) {
    queue.add(place(request), request.uncharged(), nowNanos);
  }

  /** The request to run next, if there is one. */
  @Nullable Request first(long nowNanos) {
    FairEntry<Request> first = queue.first(nowNanos);
    return first == null ? null : first.item();
  }

  /** A queued request runs. */
  void take(Request request, long nowNanos) {
    queue.take(place(request), nowNanos);
  }

  /** A request has no prompt tokens left to compute, or will never have them computed. */
  void prefilled(Request request) {
    queue.withdraw(place(request));
  }

  /** Forgets a request. */
  void close(Request request) {
    queue.close(place(request));
  }

  /** Tokens were computed for a request. */
  void charge(Request request, long tokens) {
    queue.charge(place(request), tokens);
  }

  /** Whether one request's prompt goes before another's. */
  boolean precedes(Request a, Request b, long nowNanos) {
    return queue.precedes(place(a), place(b), nowNanos);
  }

  /**
   * What would be computed before a newcomer.
   *
   * @param tokens of its prompt that will be computed
   */
  Backlog ahead(GenerationTask task, int tokens) {
    return queue.ahead(config.tenant(task), config.priority(task), config.weight(task), tokens);
  }

  /** How many of a running request's prompt tokens are computed before a newcomer's. */
  double tokensBefore(GenerationTask newcomer, Backlog backlog, Request runs, int pending) {
    FairEntry<Request> place = place(runs);
    if (!fair
        || place.isPromoted()
        || place.priority() > newcomer.priority()
        || place.tenant().equals(newcomer.tenant())) {
      return pending;
    }
    boolean later =
        place.priority() < newcomer.priority() || place.virtualFinish() > backlog.virtualFinish();
    return later ? 0 : pending;
  }

  /** Whether a request is of a higher class than another, and may take what it holds. */
  boolean outranks(Request a, Request b) {
    return !isPromoted(b) && rank(a) > rank(b);
  }

  /**
   * Whether a request that waits takes the row of one whose prompt is being computed: if its own
   * would be finished earlier in its tenant's share. That does not change while they are computed,
   * so that they do not take it from each other in turn.
   */
  boolean takesRow(Request waits, Request runs) {
    if (outranks(waits, runs)) {
      return true;
    }
    FairEntry<Request> a = place(waits);
    FairEntry<Request> b = place(runs);
    return fair
        && !isPromoted(runs)
        && rank(waits) == rank(runs)
        && !a.tenant().equals(b.tenant())
        && a.virtualFinish() < b.virtualFinish();
  }

  /** Whether two requests share a tenant's part. */
  boolean isSameTenant(Request a, Request b) {
    return place(a).tenant().equals(place(b).tenant());
  }

  /** Whether a request should lose its blocks rather than another. */
  boolean isBetterVictim(Request a, Request b) {
    if (!fair) {
      return a.serial() > b.serial();
    }
    int rankA = isPromoted(a) ? Integer.MAX_VALUE : rank(a);
    int rankB = isPromoted(b) ? Integer.MAX_VALUE : rank(b);
    if (rankA != rankB) {
      return rankA < rankB;
    }
    boolean protectedA = isProtected(a);
    if (protectedA != isProtected(b)) {
      return !protectedA;
    }
    if (protectedA) { // so that the oldest of them never loses its blocks again
      return a.serial() > b.serial();
    }
    int costA = a.computed();
    int costB = b.computed();
    return costA != costB ? costA < costB : a.serial() > b.serial();
  }

  private static boolean isProtected(Request request) {
    return isPromoted(request) || request.preemptions() >= PROTECTED;
  }

  private static boolean isPromoted(Request request) {
    return place(request).isPromoted();
  }

  private static int rank(Request request) {
    return place(request).priority();
  }

  private static FairEntry<Request> place(Request request) {
    FairEntry<Request> place = request.place;
    if (place == null) {
      throw new IllegalStateException(request.requestId() + " was not added");
    }
    return place;
  }
}
