package dev.sluice.router.fleet;

import dev.sluice.router.index.WorkerBlocks;
import io.grpc.Channel;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;

/**
 * The way to one worker: its channel, its breaker, and the requests of this router that are there
 * now.
 *
 * <p>Threading: any thread. A request is charged when it is routed, before anything is sent, so
 * that a burst of requests sees its own effect.
 */
public final class WorkerLink {
  private final WorkerAddress address;
  private final Channel channel;
  private final WorkerBreaker breaker;
  private final WorkerBlocks blocks;
  private final AtomicReference<Charged> charged = new AtomicReference<>(Charged.NOTHING);
  private final ConcurrentHashMap<Occupant, Silence> occupants = new ConcurrentHashMap<>();

  public WorkerLink(
      WorkerAddress address, Channel channel, WorkerBreaker breaker, WorkerBlocks blocks) {
    this.address = address;
    this.channel = channel;
    this.breaker = breaker;
    this.blocks = blocks;
  }

  public WorkerAddress address() {
    return address;
  }

  public Channel channel() {
    return channel;
  }

  public WorkerBreaker breaker() {
    return breaker;
  }

  /** Which blocks it has cached. */
  public WorkerBlocks blocks() {
    return blocks;
  }

  /** Requests of this router that are at the worker now. */
  public int inFlight() {
    return charged.get().requests();
  }

  /** What this router has at the worker now. */
  public Charged charged() {
    return charged.get();
  }

  /**
   * Charges one request if nothing has changed since {@link #charged} answered {@code seen}. Empty
   * if it has: the decision was made on an old load and is to be made again.
   *
   * @param newTokens prompt tokens that the worker has to compute for it
   */
  public Optional<Charge> charge(Charged seen, int newTokens) {
    return charged.compareAndSet(seen, seen.plus(newTokens))
        ? Optional.of(new Charge(this, newTokens))
        : Optional.empty();
  }

  void update(UnaryOperator<Charged> change) {
    charged.getAndUpdate(change);
  }

  /** A call begins there. */
  public void enter(Occupant call) {
    occupants.put(call, new Silence());
  }

  /** The call is over. */
  public void leave(Occupant call) {
    occupants.remove(call);
  }

  /** Fleet loop: sends all calls elsewhere. */
  void evict(String why) {
    occupants.keySet().forEach(call -> call.leave(why));
  }

  /**
   * Fleet loop: one heartbeat. Sends those calls elsewhere that are silent for {@code limitNanos}.
   *
   * @param decoding request ids that it names; one that two calls share tells nothing of either
   * @return how many were sent away
   */
  int beat(Set<String> decoding, long nowNanos, long limitNanos) {
    Map<String, Integer> named = new HashMap<>();
    for (Occupant call : occupants.keySet()) {
      if (decoding.contains(call.requestId())) {
        named.merge(call.requestId(), 1, Integer::sum);
      }
    }
    int[] left = new int[1];
    occupants.forEach((call, silence) -> {
      boolean decodes = named.getOrDefault(call.requestId(), 0) == 1;
      long silentNanos = silence.beat(call, decodes, nowNanos);
      if (silentNanos >= limitNanos) {
        call.leave("decodes, but was silent for " + silentNanos / 1_000_000 + " ms");
        left[0]++;
      }
    });
    return left[0];
  }
}
