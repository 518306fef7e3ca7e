package dev.sluice.common.fair;

import dev.sluice.common.list.IntrusiveList;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The order in which items of many tenants are served: priority class, then token-weighted fair
 * queueing over the tenants of the class, then arrival.
 *
 * <p>Each tenant of a class has a virtual time: the tokens it was charged for, divided by its
 * weight. The one is served next whose first item would be finished at the smallest virtual time,
 * so a short item does not wait for a long one that has begun. A tenant that comes from idle starts
 * at the virtual time of the one that is next (at its own, if that is ahead): it has saved nothing
 * up, and need not wait for what others were served before. So of two tenants that always wait,
 * neither gets more than one item's tokens per weight ahead of the other.
 *
 * <p>Ageing: a tenant of which nothing was taken for {@code ageing} gets one turn before all
 * others, whatever its class; the item taken in it stays promoted until it is closed. So every item
 * is served some time, and yet no tenant can jump its queue by having a long one.
 *
 * <p>An item is opened, added, taken, and closed; between, it may go back ({@link #add} again: it
 * finds its old place) or be charged for while it is out. Every operation takes time in proportion
 * to the logarithm of the tenants, and allocates only for a tenant that is not known. Tenants
 * without open items are forgotten at once if they are owed or owe nothing, and else when more than
 * a bound of them are idle.
 *
 * <pre>
 *   open        add           take
 *   -----&gt; OUT -----&gt; QUEUED -----&gt; IN_SERVICE
 *           ^           |  ^             | |
 *           |           |  +------------+  |
 *           |           |       add        |
 *           +--- withdraw --- withdraw ----+
 * </pre>
 *
 * <p>Threading: confined to its owner.
 */
public final class FairQueue<T> {
  public static final int MIN_PRIORITY = -100;
  public static final int MAX_PRIORITY = 100;

  private final long ageingNanos;
  private final int maxIdleTenants;
  private final List<@Nullable Level<T>> levels = new ArrayList<>(); // by priority; made when used
  private final BitSet backlogged = new BitSet(MAX_PRIORITY - MIN_PRIORITY + 1);
  private final EntryList<T> promoted = new EntryList<>();
  private final IntrusiveList<Flow<T>> waiting = new IntrusiveList<>(); // by waitingSinceNanos
  private final IntrusiveList<Flow<T>> idle = new IntrusiveList<>(); // the longest idle first
  private long stamps;
  private long turns;
  private int size;
  private long tokens;
  private int tenants;

  /**
   * @param ageingNanos after which a tenant that was not served gets a turn, above 0
   * @param maxIdleTenants of which the virtual time is remembered
   */
  public FairQueue(long ageingNanos, int maxIdleTenants) {
    if (ageingNanos < 1) {
      throw new IllegalArgumentException("ageingNanos: " + ageingNanos + " (expected: >= 1)");
    }
    if (maxIdleTenants < 0) {
      throw new IllegalArgumentException("maxIdleTenants: " + maxIdleTenants + " (expected: >= 0)");
    }
    this.ageingNanos = ageingNanos;
    this.maxIdleTenants = maxIdleTenants;
    for (int priority = MIN_PRIORITY; priority <= MAX_PRIORITY; priority++) {
      levels.add(null);
    }
  }

  /** Entries queued. */
  public int size() {
    return size;
  }

  public boolean isEmpty() {
    return size == 0;
  }

  /** Tokens queued. */
  public long tokens() {
    return tokens;
  }

  /** Tenants known, once for each class that they use. */
  public int tenants() {
    return tenants;
  }

  /**
   * Makes an item known; it is not queued yet.
   *
   * @param priority {@link #MIN_PRIORITY} to {@link #MAX_PRIORITY}, higher goes first
   * @param weight the tenant's share, above 0; the latest one given counts
   * @param serial its order of arrival
   */
  public FairEntry<T> open(T item, String tenant, int priority, double weight, long serial) {
    if (!(weight > 0) || Double.isInfinite(weight)) {
      throw new IllegalArgumentException("weight: " + weight + " (expected: above 0)");
    }
    Level<T> level = level(priority);
    tenants -= level.flowCount();
    Flow<T> flow = level.flow(tenant);
    tenants += level.flowCount();
    if (flow.open++ == 0 && flow.stamp != 0) {
      idle.remove(flow);
    }
    if (flow.weight != weight) {
      flow.weight = weight;
      reorder(flow);
    }
    return new FairEntry<>(item, flow, serial);
  }

  /**
   * Queues an item, for the first time or again.
   *
   * @param entryTokens what it is expected to be charged for
   */
  public void add(FairEntry<T> entry, long entryTokens, long nowNanos) {
    Flow<T> flow = entry.flow;
    switch (entry.state) {
      case OUT -> {
        if (!flow.isActive()) {
          flow.virtualTime = Math.max(flow.virtualTime, flow.level.virtualTime());
          flow.fresh = true;
          flow.stamp = ++stamps;
        }
      }
      case IN_SERVICE -> flow.inService--;
      case QUEUED, CLOSED -> throw unexpected(entry, "out or in service");
    }
    entry.state = FairEntry.State.QUEUED;
    entry.tokens = entryTokens;
    size++;
    tokens += entryTokens;
    if (entry.promoted) {
      flow.inService++; // it counts as active, though it waits apart from its flow
      promoted.insert(entry);
      return;
    }
    flow.level.insert(entry);
    if (flow.queued.size() == 1) {
      backlogged.set(flow.level.priority - MIN_PRIORITY);
      await(flow, nowNanos);
    }
  }

  private void await(Flow<T> flow, long nowNanos) {
    flow.waitingSinceNanos = nowNanos;
    flow.turn = ++turns;
    waiting.addLast(flow);
  }

  /** The entry to serve next, if there is one. */
  public @Nullable FairEntry<T> first(long nowNanos) {
    if (promoted.size() > 0) {
      return promoted.first();
    }
    Flow<T> longest = waiting.first();
    if (longest == null) {
      return null;
    }
    Flow<T> flow = isAged(longest, nowNanos) ? longest : highest().first();
    return flow.queued.first();
  }

  /** Whether one entry is served before another; either may be queued or not. */
  public boolean precedes(FairEntry<T> a, FairEntry<T> b, long nowNanos) {
    if (a.promoted != b.promoted) {
      return a.promoted;
    }
    if (a.promoted || a.flow == b.flow) {
      return a.serial < b.serial;
    }
    boolean turn = hasTurn(a, nowNanos);
    if (turn != hasTurn(b, nowNanos)) {
      return turn;
    }
    if (turn) {
      return a.flow.turn < b.flow.turn;
    }
    if (a.flow.level != b.flow.level) {
      return a.flow.level.priority > b.flow.level.priority;
    }
    double finishA = a.virtualFinish();
    double finishB = b.virtualFinish();
    return finishA == finishB ? a.flow.wins(b.flow) : finishA < finishB;
  }

  /** Takes a queued entry out to be served: its tenant has had its turn. */
  public void take(FairEntry<T> entry, long nowNanos) {
    boolean turn = hasTurn(entry, nowNanos);
    unlink(entry, "queued");
    Flow<T> flow = entry.flow;
    entry.promoted |= turn;
    entry.state = FairEntry.State.IN_SERVICE;
    flow.inService++;
    flow.fresh = false;
    flow.stamp = ++stamps;
    if (flow.queued.size() > 0) {
      flow.level.reorder(flow);
      waiting.remove(flow);
      await(flow, nowNanos);
    }
  }

  /** Takes an entry out of the queue or out of service, for now or for good. */
  public void withdraw(FairEntry<T> entry) {
    switch (entry.state) {
      case QUEUED -> unlink(entry, "queued");
      case IN_SERVICE -> entry.flow.inService--;
      case OUT -> {}
      case CLOSED -> throw unexpected(entry, "open");
    }
    entry.state = FairEntry.State.OUT;
  }

  /** Tokens were spent on an entry, in whatever state it is. */
  public void charge(FairEntry<T> entry, long spentTokens) {
    Flow<T> flow = entry.flow;
    flow.virtualTime += spentTokens / flow.weight;
    if (entry.state == FairEntry.State.IN_SERVICE) {
      entry.tokens = Math.max(0, entry.tokens - spentTokens);
    }
    reorder(flow);
  }

  private static <T> void reorder(Flow<T> flow) {
    if (flow.queued.size() > 0) {
      flow.level.reorder(flow);
    }
  }

  /** Forgets an entry, in whatever state it is. */
  public void close(FairEntry<T> entry) {
    withdraw(entry);
    entry.state = FairEntry.State.CLOSED;
    Flow<T> flow = entry.flow;
    if (--flow.open > 0) {
      return;
    }
    if (flow.virtualTime <= flow.level.virtualTime()) {
      forget(flow); // it would start there anyway
      return;
    }
    flow.stamp = ++stamps;
    idle.addLast(flow);
    Flow<T> longest = idle.first();
    if (idle.size() > maxIdleTenants && longest != null) {
      idle.remove(longest);
      forget(longest);
    }
  }

  /**
   * What would be served before a newcomer, if nobody else came, and nobody aged. Takes time in
   * proportion to the tenants that wait, and changes nothing.
   *
   * @param entryTokens of the newcomer
   */
  public Backlog ahead(String tenant, int priority, double weight, long entryTokens) {
    double aheadTokens = promoted.tokens();
    double aheadEntries = promoted.size();
    for (int i = backlogged.nextSetBit(priority - MIN_PRIORITY + 1);
        i >= 0;
        i = backlogged.nextSetBit(i + 1)) {
      Level<T> higher = level(MIN_PRIORITY + i);
      aheadTokens += higher.tokens();
      aheadEntries += higher.entries();
    }
    Level<T> level = level(priority);
    Flow<T> own = level.known(tenant);
    double start = level.virtualTime();
    long ownTokens = 0;
    if (own != null) {
      start = own.isActive() ? own.virtualTime : Math.max(own.virtualTime, start);
      ownTokens = own.queued.tokens();
      aheadTokens += ownTokens;
      aheadEntries += own.queued.size();
    }
    double end = start + (ownTokens + entryTokens) / weight;
    for (Flow<T> flow : level.backlogged()) {
      if (flow != own && flow.virtualFinish < end) {
        double before =
            Math.min((double) flow.queued.tokens(), (end - flow.virtualTime) * flow.weight);
        aheadTokens += before;
        aheadEntries += flow.queued.size() * before / Math.max(1, flow.queued.tokens());
      }
    }
    return new Backlog(aheadTokens, aheadEntries, end);
  }

  private void unlink(FairEntry<T> entry, String expected) {
    if (entry.state != FairEntry.State.QUEUED) {
      throw unexpected(entry, expected);
    }
    size--;
    tokens -= entry.tokens;
    Flow<T> flow = entry.flow;
    if (entry.promoted) {
      flow.inService--;
      promoted.remove(entry);
      return;
    }
    flow.level.remove(entry);
    if (flow.queued.size() == 0) {
      waiting.remove(flow);
      if (flow.level.isEmpty()) {
        backlogged.clear(flow.level.priority - MIN_PRIORITY);
      }
    }
  }

  /** Whether an entry goes before all classes since nothing of its tenant did for long. */
  private boolean hasTurn(FairEntry<T> entry, long nowNanos) {
    return !entry.promoted
        && entry.state == FairEntry.State.QUEUED
        && entry.flow.queued.first() == entry
        && isAged(entry.flow, nowNanos);
  }

  private boolean isAged(Flow<T> flow, long nowNanos) {
    return nowNanos - flow.waitingSinceNanos >= ageingNanos;
  }

  private void forget(Flow<T> flow) {
    flow.level.forget(flow);
    tenants--;
  }

  private Level<T> highest() {
    return level(MIN_PRIORITY + backlogged.length() - 1);
  }

  private Level<T> level(int priority) {
    if (priority < MIN_PRIORITY || priority > MAX_PRIORITY) {
      throw new IllegalArgumentException(
          "priority: " + priority + " (expected: " + MIN_PRIORITY + " to " + MAX_PRIORITY + ")");
    }
    Level<T> known = levels.get(priority - MIN_PRIORITY);
    if (known != null) {
      return known;
    }
    Level<T> level = new Level<>(priority);
    levels.set(priority - MIN_PRIORITY, level);
    return level;
  }

  private static IllegalStateException unexpected(FairEntry<?> entry, String expected) {
    return new IllegalStateException(
        entry.item() + " is " + entry.state + " (expected: " + expected + ")");
  }
}
