package dev.sluice.router.proxy;

import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.policy.Tried;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Whether a request that lost its worker goes to another one. The first move is free, and so is a
 * move off a worker that brought a part of the answer; others are paid for by the retry budget.
 * Attempts that bring nothing are counted, and so are workers that died of the request.
 *
 * <p>Threading: the driver of the call.
 */
final class Moves {
  /** A worker that dies so soon after it got a request may have died of it. */
  private static final Duration QUICK_DEATH = Duration.ofSeconds(2);

  private static final int QUICK_DEATHS = 2;
  private static final int DEATHS = 3;
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

  /** What follows from the end of an attempt. */
  sealed interface Next {
    /** Another worker. */
    record MoveOn() implements Next {}

    /** The request is not tried again: workers die of it. */
    record KillsWorkers() implements Next {}

    /** No more attempts. */
    record Stop(String why) implements Next {}
  }

  private final RetryBudget budget;
  private final int maxAttempts;
  private final Tried tried = new Tried();
  private final List<WorkerView> busy = new ArrayList<>();
  private Optional<WorkerView> last = Optional.empty();
  private boolean forgivable;
  private Duration pause = FIRST_PAUSE;
  private long pausedNanos;
  private int fruitless; // attempts since the last message
  private int deaths;
  private int quickDeaths;
  private boolean moved;
  private int resumes;
  private long dispatchedNanos;
  private long interruptedNanos;
  private OptionalLong lostNanos = OptionalLong.empty();
  private Optional<Failure> lastFailure = Optional.empty();
  private Optional<Failure> lastBusy = Optional.empty();

  Moves(RetryBudget budget, int maxAttempts) {
    this.budget = budget;
    this.maxAttempts = maxAttempts;
  }

  Tried tried() {
    return tried;
  }

  /** The request goes to a worker. */
  void dispatched(WorkerView worker, long nowNanos) {
    tried.add(worker);
    dispatchedNanos = nowNanos;
  }

  /**
   * The worker's first message came.
   *
   * @param goesOn whether another worker began the stream
   */
  void arrived(boolean goesOn) {
    if (goesOn && lostNanos.isPresent()) {
      resumes++;
      interruptedNanos += dispatchedNanos - lostNanos.getAsLong();
    }
    lostNanos = OptionalLong.empty();
    fruitless = 0;
    pause = FIRST_PAUSE;
  }

  /**
   * An attempt ended in a failure that another worker may make good.
   *
   * @param delivered whether it brought any message
   */
  Next lost(WorkerView worker, Failure failure, boolean delivered, long nowNanos) {
    last = Optional.of(worker);
    forgivable |= delivered;
    if (failure.kind() == FailureKind.BUSY) {
      lastBusy = Optional.of(failure);
      busy.add(worker);
      return moved ? new Next.MoveOn() : fruitless(false);
    }
    lastFailure = Optional.of(failure);
    if (failure.kind() == FailureKind.DIED) {
      deaths++;
      if (nowNanos - dispatchedNanos <= QUICK_DEATH.toNanos()) {
        quickDeaths++;
      }
      if (quickDeaths >= QUICK_DEATHS || deaths >= DEATHS) {
        return new Next.KillsWorkers();
      }
    }
    if (lostNanos.isEmpty()) {
      lostNanos = OptionalLong.of(nowNanos);
    }
    boolean first = !moved;
    moved = true;
    return delivered ? new Next.MoveOn() : fruitless(first);
  }

  private Next fruitless(boolean free) {
    fruitless++;
    if (fruitless >= maxAttempts) {
      return new Next.Stop("attempt limit reached");
    }
    return free || budget.tryMove() ? new Next.MoveOn() : new Next.Stop("retry budget used up");
  }

  /**
   * How long the request may wait for a worker, if nobody can take it now.
   *
   * @param begun whether the client has a part of the answer
   */
  Duration patience(Duration resumeTimeout, boolean begun, long nowNanos) {
    // A fault that a worker explained before it began will not pass by waiting; a loss may.
    boolean mayPass =
        begun
            || lastFailure
                .map(failure -> failure.status().getCode() == Status.Code.UNAVAILABLE)
                .orElse(false);
    return mayPass && lostNanos.isPresent()
        ? resumeTimeout.minusNanos(nowNanos - lostNanos.getAsLong())
        : Duration.ZERO;
  }

  /**
   * Nobody new is left: lets those be tried again that the request was at before it came further,
   * all but the last. False if there are none.
   */
  boolean forgive() {
    if (!forgivable) {
      return false;
    }
    forgivable = false;
    tried.clear();
    last.ifPresent(tried::add);
    return true;
  }

  /** How long to wait at most before those that were full are asked again. */
  Optional<Duration> pause(long nowNanos) {
    if (busy.isEmpty()) {
      return Optional.empty();
    }
    pausedNanos = nowNanos;
    return Optional.of(pause);
  }

  /** A wait is over. */
  void waited(long nowNanos) {
    if (!busy.isEmpty() && nowNanos - pausedNanos >= pause.toNanos()) {
      busy.forEach(tried::forget);
      busy.clear();
      pause =
          pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0
              ? pause.multipliedBy(2)
              : LONGEST_PAUSE;
    }
  }

  /** Whether workers had no room, and may have some later. */
  boolean mayFindRoom() {
    return lastBusy.isPresent() && !busy.isEmpty() && lastBusy.get().mayPass();
  }

  /** Why nobody has answered; empty if nobody was asked. Room that will come is better news. */
  Optional<Failure> reason() {
    return lastBusy.or(() -> lastFailure);
  }

  /** How the worker was lost that had the request last; empty if none was. */
  Optional<Failure> loss() {
    return lastFailure;
  }

  /** Whether a worker was lost. */
  boolean moved() {
    return moved;
  }

  /** Times that the stream went on at another worker. */
  int resumes() {
    return resumes;
  }

  /** Time that the stream was without a worker. */
  long interruptedNanos() {
    return interruptedNanos;
  }
}
