package dev.sluice.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The targets of a client. Calls go round among those that answer; one that failed is tried again
 * when there is no other, and now and then by chance of the round once its connection is back.
 *
 * <p>Threading: any thread.
 */
final class Endpoints implements AutoCloseable {
  private static final Duration CLOSE_GRACE = Duration.ofSeconds(5);

  private final List<Endpoint> endpoints;
  private final AtomicInteger turn; // begins anywhere, so that clients do not start in step
  private final Channel channel = new Round();
  private volatile boolean closed;

  /**
   * @param channels at least one; they are closed with this
   */
  Endpoints(List<ManagedChannel> channels) {
    endpoints = channels.stream().map(Endpoint::new).toList();
    turn = new AtomicInteger(ThreadLocalRandom.current().nextInt(endpoints.size()));
  }

  int count() {
    return endpoints.size();
  }

  boolean isClosed() {
    return closed;
  }

  /**
   * Where the next call goes: to one that works if there is one, to another than {@code avoided} if
   * there is one.
   */
  Endpoint pick(Optional<Endpoint> avoided) {
    int first = Math.floorMod(turn.getAndIncrement(), endpoints.size());
    Endpoint best = endpoints.get(first);
    int bestRank = Integer.MAX_VALUE;
    for (int i = 0; i < endpoints.size(); i++) {
      Endpoint endpoint = endpoints.get((first + i) % endpoints.size());
      boolean avoid = avoided.isPresent() && avoided.get() == endpoint;
      int rank = (works(endpoint) ? 0 : 2) + (avoid ? 1 : 0);
      if (rank < bestRank) {
        bestRank = rank;
        best = endpoint;
      }
    }
    if (best.channel().getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
      // We decide when to try: the channel would answer with its last failure until its own
      // back-off is over. From idle it looks up the name again, connects, and lets calls wait.
      best.channel().enterIdle();
    }
    return best;
  }

  /** Whether its connection stands, or nothing is known against it. */
  private static boolean works(Endpoint endpoint) {
    ConnectivityState state = endpoint.channel().getState(endpoint.failed());
    return state == ConnectivityState.READY
        || (!endpoint.failed() && state != ConnectivityState.TRANSIENT_FAILURE);
  }

  /** Calls of generated stubs: each goes to one target, none is made again. */
  Channel channel() {
    return channel;
  }

  /** Cancels what runs and closes the connections. */
  @Override
  public void close() {
    closed = true;
    endpoints.forEach(e -> e.channel().shutdownNow());
    try {
      long end = System.nanoTime() + CLOSE_GRACE.toNanos();
      for (Endpoint endpoint : endpoints) {
        // So that the server has been told of every cancelled call when the process ends.
        endpoint.channel().awaitTermination(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private final class Round extends Channel {
    @Override
    public <Q, R> ClientCall<Q, R> newCall(MethodDescriptor<Q, R> method, CallOptions options) {
      return pick(Optional.empty()).channel().newCall(method, options);
    }

    @Override
    public String authority() {
      return endpoints.getFirst().channel().authority();
    }
  }
}
