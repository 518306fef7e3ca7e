package dev.sluice.client;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.Optional;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides for one call whether and when it is made again after an attempt has failed.
 *
 * <p>Threading: one thread at a time.
 */
final class Recovery {
  private final RetryPolicy policy;
  private final int targets;
  private final LongSupplier nanoClock;
  private final DoubleSupplier random;

  private int pushBacks;
  private int failures; // since the last message
  private long searchBeganNanos; // if there are failures

  /**
   * @param targets number of them, at least 1
   * @param nanoClock monotonic time, nanoseconds
   * @param random numbers from 0 to 1
   */
  Recovery(RetryPolicy policy, int targets, LongSupplier nanoClock, DoubleSupplier random) {
    this.policy = policy;
    this.targets = targets;
    this.nanoClock = nanoClock;
    this.random = random;
  }

  /** The call has got a message. */
  void progressed() {
    failures = 0;
  }

  /**
   * An attempt failed, and not because its caller ended it.
   *
   * @param begun whether the caller has a part of the answer
   * @param delivered whether the attempt itself has brought anything
   * @return the pause before the next attempt; empty if the failure is the caller's
   */
  Optional<Duration> failed(
      Status status, @Nullable Metadata trailers, boolean begun, boolean delivered) {
    com.google.rpc.Status told = StatusProto.fromStatusAndTrailers(status, trailers);
    if (isLoss(status, told)) {
      return lost(SluiceException.of(status, trailers, "").retryDelay(), begun);
    }
    if (status.getCode() == Status.Code.RESOURCE_EXHAUSTED && !delivered) {
      return SluiceException.of(status, trailers, "")
          .retryDelay()
          .flatMap(delay -> pushedBack(delay, begun));
    }
    return Optional.empty();
  }

  /** Whether the router or the way to it is lost; what it explains itself is its own word. */
  private static boolean isLoss(Status status, com.google.rpc.Status told) {
    return switch (status.getCode()) {
      case UNAVAILABLE -> true;
      // of a connection that breaks or a server that stops; Sluice itself explains what it says
      case INTERNAL, UNKNOWN, CANCELLED -> told.getDetailsCount() == 0;
      default -> false;
    };
  }

  private Optional<Duration> lost(Optional<Duration> retryDelay, boolean begun) {
    search();
    failures++;
    boolean othersLeft = failures < targets;
    Duration pause = othersLeft ? Duration.ZERO : backoff(failures - targets);
    if (begun) {
      return withinSearch(pause, policy.resumeTimeout());
    }
    if (othersLeft) {
      return Optional.of(pause);
    }
    return withinSearch(pause, policy.startTimeout())
        .or(() -> retryDelay.flatMap(delay -> pushedBack(delay, false)));
  }

  /** The server answers, but wants the call later. */
  private Optional<Duration> pushedBack(Duration delay, boolean begun) {
    if (begun) {
      search();
      failures++;
      return withinSearch(delay, policy.resumeTimeout());
    }
    pushBacks++;
    return pushBacks <= policy.pushBacks() ? Optional.of(delay) : Optional.empty();
  }

  private void search() {
    if (failures == 0) {
      searchBeganNanos = nanoClock.getAsLong();
    }
  }

  /** The pause, if it ends before the search for a router does. */
  private Optional<Duration> withinSearch(Duration pause, Duration limit) {
    Duration spent = Duration.ofNanos(nanoClock.getAsLong() - searchBeganNanos);
    return spent.plus(pause).compareTo(limit) < 0 ? Optional.of(pause) : Optional.empty();
  }

  /** Spread over its upper half, so that a router's clients do not come back at one moment. */
  private Duration backoff(int round) {
    long nanos = policy.backoffInitial().toNanos();
    long most = policy.backoffMax().toNanos();
    for (int i = 0; i < round && nanos < most; i++) {
      nanos *= 2;
    }
    nanos = Math.min(nanos, most);
    return Duration.ofNanos(nanos - (long) (random.getAsDouble() * (nanos / 2.0)));
  }
}
