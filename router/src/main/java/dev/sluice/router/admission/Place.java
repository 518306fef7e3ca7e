package dev.sluice.router.admission;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.fair.FairEntry;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.Subscription;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One request with the {@link Admission}, from when it was let in to its end.
 *
 * <pre>
 *              tryPass: nobody waits
 *   OUTSIDE ───────────────────────────────▶ SERVED ──close──▶ CLOSED
 *      │                                      │  ▲
 *      └─────join──▶ QUEUED ◀────────join─────┘  │ taken, stopped, expired
 *                      │ ▲                       │
 *                first │ │ nobody has room       │
 *                      ▼ │                       │
 *                     TURN ──────────────────────┘
 * </pre>
 *
 * <p>Threading: the driver of the call; {@link #stop} and {@link #close} come from any thread.
 */
public final class Place implements Toll {
  /** Output tokens that are charged at once, so that a token takes no lock. */
  static final int BATCH = 32;

  enum State {
    /** Has not been looked at. */
    OUTSIDE,
    /** Waits. */
    QUEUED,
    /** Is first, and looks for a worker. */
    TURN,
    /** Is at a worker or on its way there. */
    SERVED,
    /** Is over. */
    CLOSED
  }

  private final Admission admission;
  private final Tenant tenant;
  private final Demand demand;
  private final String model;
  private final int promptTokens;

  // guarded by the lane
  State state = State.OUTSIDE;
  boolean stopped;
  @Nullable FairEntry<Place> entry;
  Optional<Waiter> waiter = Optional.empty();

  private volatile Optional<Lane> lane; // empty while nobody serves the model
  private volatile Subscription timeout = () -> {};
  private final AtomicBoolean closed = new AtomicBoolean();
  private final AtomicInteger produced = new AtomicInteger(); // one writer: the driver
  private final AtomicInteger charged = new AtomicInteger(); // of these
  private volatile boolean dispatched; // one writer: the driver
  private volatile boolean told; // that it was refused
  private long dispatchedNanos; // driver
  private long tokensAhead; // driver
  private boolean prefilled; // driver

  Place(
      Admission admission,
      Tenant tenant,
      Demand demand,
      String model,
      int promptTokens,
      Optional<Lane> lane) {
    this.admission = admission;
    this.tenant = tenant;
    this.demand = demand;
    this.model = model;
    this.promptTokens = promptTokens;
    this.lane = lane;
  }

  Tenant tenant() {
    return tenant;
  }

  Demand demand() {
    return demand;
  }

  int promptTokens() {
    return promptTokens;
  }

  /**
   * Whether it may look for a worker at once: nobody waits, or it has had its turn. Otherwise it
   * must {@link #join}.
   */
  public boolean tryPass(FleetSnapshot fleet) {
    Optional<Lane> found = lane(fleet);
    return demand.goesOn()
        || found.isEmpty() // nobody serves its model: there is nothing to wait for
        || found.get().tryPass(this, admission.now());
  }

  /** What became of a {@link #join}. */
  public sealed interface Joined {
    /** It waits; the waiter will be called. */
    record Waits() implements Joined {}

    /** It was stopped before. */
    record Stopped() implements Joined {}

    /** The queue is full. */
    record Full(Refusal refusal) implements Joined {}
  }

  /**
   * Waits for a turn.
   *
   * @param limit how long at most
   */
  public Joined join(FleetSnapshot fleet, Waiter next, Duration limit) {
    Optional<Lane> found = lane(fleet);
    if (found.isEmpty()) {
      return new Joined.Stopped(); // the model went away: the next look will tell
    }
    return switch (found.get().join(this, next, admission.now())) {
      case STOPPED -> new Joined.Stopped();
      case FULL -> new Joined.Full(admission.queueFull(this, found.get()));
      case WAITS -> {
        Subscription timer = admission.schedule(limit, () -> expired(found.get()));
        timeout = timer;
        if (!waits(found.get())) {
          timer.close(); // it left while the timer was made
        }
        admission.roomFreed(); // what was freed since it saw that nobody has room
        yield new Joined.Waits();
      }
    };
  }

  private boolean waits(Lane waitsIn) {
    synchronized (waitsIn) {
      return state == State.QUEUED || state == State.TURN;
    }
  }

  private void expired(Lane waitedIn) {
    waitedIn.expire(this, admission.now()).ifPresent(Waiter::left);
  }

  /** Ends the wait, if there is one or if there will be one. Any thread. */
  public void stop() {
    lane.flatMap(known -> known.stop(this, admission.now()))
        .ifPresent(waited -> {
          timeout.close();
          waited.left();
        });
  }

  void leftQueue() {
    timeout.close();
  }

  /**
   * It goes to a worker.
   *
   * @param pendingTokens prompt tokens that are to be computed there, with its own
   */
  public void dispatched(long pendingTokens) {
    dispatchedNanos = admission.now();
    tokensAhead = pendingTokens;
    if (!dispatched) {
      dispatched = true;
      lane.ifPresent(known -> known.charge(this, promptTokens));
      admission.metrics().admitted(tenant.name());
    }
  }

  @Override
  public void prefilled(int cachedTokens) {
    long now = admission.now();
    long elapsed = now - dispatchedNanos;
    lane.ifPresent(known -> known.prefilled(this, tokensAhead, elapsed, now));
    cached(cachedTokens);
  }

  private void cached(int cachedTokens) {
    prefilled = true;
    tenant.prefilled(promptTokens, cachedTokens);
    if (cachedTokens > 0) { // they cost nobody anything
      lane.ifPresent(known -> known.charge(this, -(long) Math.min(cachedTokens, promptTokens)));
    }
  }

  /** Allocates nothing, and takes a lock once per {@link #BATCH} tokens. */
  @Override
  public void produced(int tokens) {
    int total = produced.getPlain() + tokens;
    produced.lazySet(total);
    if (total - charged.getPlain() >= BATCH) {
      charge(total);
    }
  }

  /** Charges for all that was produced so far and not charged yet. */
  private void charge(int total) {
    int before = charged.getAndAccumulate(total, Math::max);
    if (total > before) {
      Optional<Lane> known = lane;
      if (known.isPresent()) {
        known.get().charge(this, total - before);
      }
      tenant.spend(total - before);
    }
  }

  /**
   * The answer is complete.
   *
   * @param cachedTokens of the prompt
   * @param outputTokens of all choices
   * @param meanGapNanos between two tokens of one choice; 0 if that is not known
   */
  public void completed(int cachedTokens, int outputTokens, long meanGapNanos) {
    if (!prefilled) { // an answer in one message
      cached(cachedTokens);
    }
    if (produced.getPlain() == 0) {
      produced(outputTokens);
    }
    tenant.completed((double) outputTokens / demand.choices());
    if (meanGapNanos > 0) {
      lane.ifPresent(known -> known.decoded(meanGapNanos, admission.now()));
    }
  }

  /** It ends for this reason; counts as refused if it never went to a worker. */
  public void refused(String reason) {
    if (!dispatched && !told) {
      told = true;
      admission.metrics().refused(tenant.name(), reason);
    }
  }

  /** It is over, however it ended. Any thread; a second time does nothing. */
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    timeout.close();
    charge(produced.get());
    if (dispatched) {
      admission.metrics().served(tenant.name(), promptTokens, produced.get());
    } else {
      tenant.spend(-promptTokens); // that nobody will compute
    }
    lane.ifPresent(known -> known.close(this, admission.now()));
  }

  private Optional<Lane> lane(FleetSnapshot fleet) {
    Optional<Lane> known = lane;
    if (known.isEmpty()) {
      known = admission.lane(model, fleet);
      lane = known;
    }
    return known;
  }
}
