package dev.sluice.router.admission;

import dev.sluice.common.fair.Backlog;
import dev.sluice.common.fair.FairEntry;
import dev.sluice.common.fair.FairQueue;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * The requests for one model: those that wait for room at its workers, in fair order, and what was
 * charged to their tenants. Whoever finds nobody waiting goes on at once.
 *
 * <p>The queue is bounded, and no tenant can fill it: one may have as much in it as is left free.
 * Alone it gets half; with {@code n} others that want all, each gets the same, and as much is left
 * for a tenant that comes (dynamic thresholds, Choudhury and Hahne 1998).
 *
 * <p>Threading: any thread; its monitor, held for a few instructions a few times per request and
 * once per batch of tokens, guards everything here and the marked fields of {@link Place}.
 */
final class Lane {
  private static final int MOST_IDLE_TENANTS = 4_096;

  private final String model;
  private final AdmissionOptions options;
  private final FairQueue<Place> queue;
  private final Pace pace = new Pace();
  private final Map<String, Queued> byTenant = new HashMap<>(); // of those that wait
  private long serials;
  private volatile int waiting;

  /** What one tenant has in the queue. */
  private static final class Queued {
    int requests;
    long tokens;
  }

  Lane(String model, AdmissionOptions options) {
    this.model = model;
    this.options = options;
    queue = new FairQueue<>(options.ageing().toNanos(), MOST_IDLE_TENANTS);
  }

  String model() {
    return model;
  }

  /** Requests that wait. */
  int waiting() {
    return waiting;
  }

  /** Prompt tokens of these. */
  synchronized long waitingTokens() {
    return queue.tokens();
  }

  /** Lets a request pass if nobody waits; it is then on its way, as if it had had its turn. */
  synchronized boolean tryPass(Place place, long nowNanos) {
    if (place.state != Place.State.OUTSIDE) {
      return true; // it has had its turn
    }
    if (!queue.isEmpty()) {
      return false;
    }
    FairEntry<Place> entry = entry(place);
    queue.add(entry, place.promptTokens(), nowNanos);
    queue.take(entry, nowNanos);
    place.state = Place.State.SERVED;
    return true;
  }

  /** How a request came to wait. */
  enum Joined {
    /** It waits. */
    WAITS,
    /** It was stopped before. */
    STOPPED,
    /** There is no room in the queue. */
    FULL
  }

  /** Puts a request into the queue. */
  synchronized Joined join(Place place, Waiter waiter, long nowNanos) {
    if (place.stopped || place.state == Place.State.CLOSED) {
      return Joined.STOPPED;
    }
    if (!hasSpace(place)) {
      return Joined.FULL;
    }
    queue.add(entry(place), place.promptTokens(), nowNanos);
    place.state = Place.State.QUEUED;
    place.waiter = Optional.of(waiter);
    Queued own = byTenant.computeIfAbsent(place.tenant().name(), _ -> new Queued());
    own.requests++;
    own.tokens += place.promptTokens();
    changed(nowNanos);
    return Joined.WAITS;
  }

  private boolean hasSpace(Place place) {
    Queued own = byTenant.getOrDefault(place.tenant().name(), new Queued());
    int freeRequests = options.maxQueuedRequests() - queue.size();
    long freeTokens = options.maxQueuedTokens() - queue.tokens();
    return own.requests < freeRequests
        && (own.requests == 0 || own.tokens + place.promptTokens() <= freeTokens)
        && place.promptTokens() <= freeTokens;
  }

  /** A request that waits, and who goes on with it. */
  record Turn(Place place, Waiter waiter) {}

  /** The request whose turn it is, if any waits; it keeps its place until it is told to leave. */
  synchronized Optional<Turn> next(long nowNanos) {
    @Nullable FairEntry<Place> first = queue.first(nowNanos);
    if (first == null) {
      return Optional.empty();
    }
    Place place = first.item();
    place.state = Place.State.TURN;
    return place.waiter.map(waiter -> new Turn(place, waiter));
  }

  /** Its turn is over and nobody had room: it waits on. False if it was stopped meanwhile. */
  synchronized boolean putBack(Place place, long nowNanos) {
    if (place.state == Place.State.TURN && !place.stopped) {
      place.state = Place.State.QUEUED;
      return true;
    }
    take(place, nowNanos);
    return false;
  }

  /** It leaves the queue, for a worker or for good. */
  synchronized void take(Place place, long nowNanos) {
    if (place.state == Place.State.TURN) {
      leave(place, nowNanos);
      pace.drained(place.promptTokens(), nowNanos);
    }
  }

  /** Somebody stops it. Who waited, if it did: it has left the queue. */
  synchronized Optional<Waiter> stop(Place place, long nowNanos) {
    place.stopped = true;
    return expire(place, nowNanos);
  }

  /** It has waited as long as it may. Who waited, if it did: it has left the queue. */
  synchronized Optional<Waiter> expire(Place place, long nowNanos) {
    if (place.state != Place.State.QUEUED) {
      return Optional.empty();
    }
    Optional<Waiter> waiter = place.waiter;
    leave(place, nowNanos);
    return waiter;
  }

  private void leave(Place place, long nowNanos) {
    queue.take(entry(place), nowNanos);
    place.state = Place.State.SERVED;
    place.waiter = Optional.empty();
    String tenant = place.tenant().name();
    Queued own = byTenant.get(tenant);
    if (own != null) {
      own.requests--;
      own.tokens -= place.promptTokens();
      if (own.requests == 0) {
        byTenant.remove(tenant);
      }
    }
    changed(nowNanos);
  }

  private void changed(long nowNanos) {
    waiting = queue.size();
    pace.backlogged(waiting > 0, nowNanos);
  }

  /** Tokens are computed for a request; negative if less than was charged. */
  synchronized void charge(Place place, long tokens) {
    if (place.state != Place.State.CLOSED) {
      queue.charge(entry(place), tokens);
    }
  }

  /** A request got its first token. */
  synchronized void prefilled(Place place, long computedTokens, long elapsedNanos, long nowNanos) {
    if (place.state == Place.State.SERVED) {
      queue.withdraw(entry(place));
    }
    pace.prefilled(computedTokens, elapsedNanos, nowNanos);
  }

  synchronized void decoded(long meanGapNanos, long nowNanos) {
    pace.decoded(meanGapNanos, nowNanos);
  }

  /** Forgets a request. */
  synchronized void close(Place place, long nowNanos) {
    if (place.state == Place.State.CLOSED) {
      return;
    }
    if (place.state == Place.State.QUEUED || place.state == Place.State.TURN) {
      leave(place, nowNanos);
    }
    place.state = Place.State.CLOSED;
    @Nullable FairEntry<Place> entry = place.entry;
    if (entry != null) {
      queue.close(entry);
    }
  }

  /** What a newcomer has to expect. */
  synchronized Forecast forecast(
      Tenant tenant, int priority, int promptTokens, double workerTokens, long nowNanos) {
    Backlog ahead = queue.ahead(tenant.name(), priority, tenant.weight(), promptTokens);
    OptionalDouble waits =
        queue.isEmpty() ? OptionalDouble.of(0) : pace.waitNanos(ahead.tokens(), nowNanos);
    double own = promptTokens * (1 - tenant.cachedPart());
    OptionalDouble prefill = pace.prefillNanos(workerTokens + own, nowNanos);
    return new Forecast(
        queue.size(), Math.round(ahead.tokens()), waits, prefill, pace.itlNanos(nowNanos));
  }

  /** Time until half of what waits will have left; empty if unknown. */
  synchronized OptionalDouble halfNanos(long nowNanos) {
    return pace.waitNanos(queue.tokens() / 2.0, nowNanos);
  }

  private FairEntry<Place> entry(Place place) {
    FairEntry<Place> known = place.entry;
    if (known != null) {
      return known;
    }
    Tenant tenant = place.tenant();
    FairEntry<Place> opened =
        queue.open(place, tenant.name(), place.demand().priority(), tenant.weight(), ++serials);
    place.entry = opened;
    return opened;
  }
}
