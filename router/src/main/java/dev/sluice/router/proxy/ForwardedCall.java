package dev.sluice.router.proxy;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.Statuses;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.Subscription;
import dev.sluice.router.fleet.WorkerLink;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.policy.Selection;
import io.grpc.CallOptions;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.opentelemetry.api.trace.Span;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One call on its way: chooses a worker, tries it, tries another if the first fails before its
 * first message, and passes the answer on. Nothing reaches the client before that first message,
 * not even headers: until then the call can move.
 *
 * <pre>
 *   start ─▶ advance ──chosen──▶ attempt ──first message──▶ passing on ──▶ answered
 *              ▲  │                 │
 *              │  └─nobody─▶ wait   │ failed or busy
 *              └──────────────┴─────┘
 * </pre>
 *
 * <p>Threading: a call has one driver at a time: the thread that starts it, then the listener of
 * the current attempt, or whoever ends a wait; each hands over before it returns. Only the driver
 * touches the client's call and the plain fields. A cancel or abort comes from any thread: under
 * the lock it leaves its mark and takes {@code current}, then stops that, which gives the driver
 * its turn. Nothing foreign is called with the lock held.
 */
final class ForwardedCall<R> {
  private static final Logger log = LoggerFactory.getLogger(ForwardedCall.class);
  private static final Stoppable NOTHING = _ -> {};

  private final Proxy proxy;
  private final ForwardedMethod<R> method;
  private final Prepared<R> prepared;
  private final ServerCall<R, byte[]> client;
  private final Deadline deadline;
  private final long arrivalNanos;
  private final CallTelemetry telemetry;

  private final Object lock = new Object();
  private Stoppable current = NOTHING; // guarded by lock
  private boolean over; // guarded by lock
  private Optional<Refusal> abortedWith = Optional.empty(); // guarded by lock

  private final Set<WorkerLink> tried = new HashSet<>();
  private int attempts; // written under lock: a cancel reads it
  private Optional<Failure> lastFailure = Optional.empty();
  private Optional<Failure> lastBusy = Optional.empty();
  private long admissionWaitNanos;
  private volatile Optional<Attempt<R>> passing = Optional.empty();

  ForwardedCall(
      Proxy proxy,
      ForwardedMethod<R> method,
      Prepared<R> prepared,
      ServerCall<R, byte[]> client,
      Deadline deadline,
      long arrivalNanos,
      CallTelemetry telemetry) {
    this.proxy = proxy;
    this.method = method;
    this.prepared = prepared;
    this.client = client;
    this.deadline = deadline;
    this.arrivalNanos = arrivalNanos;
    this.telemetry = telemetry;
  }

  void start() {
    proxy.open().add(this);
    advance();
  }

  /** The client can take more. */
  void clientReady() {
    passing.ifPresent(Attempt::clientReady);
  }

  /** The client hung up, or its deadline is over: nobody waits for an answer. */
  void clientCancelled() {
    Stoppable stopped;
    synchronized (lock) {
      if (over) {
        return;
      }
      over = true;
      stopped = current;
    }
    Status status =
        deadline.isExpired()
            ? Status.DEADLINE_EXCEEDED.withDescription("the client's deadline is over")
            : Status.CANCELLED.withDescription("the client hung up");
    settle(status);
    stopped.stop(status.getCode() + ": " + status.getDescription());
  }

  /** Ends the call with a refusal, whatever it is doing. */
  void abort(Refusal refusal) {
    Stoppable stopped;
    synchronized (lock) {
      if (over) {
        return;
      }
      abortedWith = Optional.of(refusal);
      stopped = current;
    }
    stopped.stop(refusal.message());
  }

  /** Driver: goes one step on from where nobody has the request. */
  private void advance() {
    if (endedElsewhere()) {
      return;
    }
    if (attempts >= proxy.options().maxAttempts()) {
      giveUp("attempt limit reached");
      return;
    }
    FleetSnapshot snapshot = proxy.fleet().snapshot();
    switch (select(snapshot)) {
      case Selection.Chosen chosen -> attempt(chosen.worker());
      case Selection.None none -> {
        Duration left =
            proxy.options().joinTimeout().minusNanos(proxy.nanoClock().getAsLong() - arrivalNanos);
        if (none.joining() && left.isPositive()) {
          new Wait(snapshot, left).begin();
        } else if (attempts > 0) {
          giveUp("no other worker is ready");
        } else {
          refuse(Refusals.of(none));
        }
      }
    }
  }

  private Selection select(FleetSnapshot snapshot) {
    Span route = telemetry.startRoute();
    long before = proxy.nanoClock().getAsLong();
    Selection selection = proxy.selector().select(snapshot, prepared.model(), tried);
    telemetry.decided(selection, route, proxy.nanoClock().getAsLong() - before);
    return selection;
  }

  private void attempt(WorkerView worker) {
    synchronized (lock) {
      attempts++;
    }
    tried.add(worker.link());
    if (attempts == 1) {
      admissionWaitNanos = proxy.nanoClock().getAsLong() - arrivalNanos;
      telemetry.admitted(admissionWaitNanos);
    }
    Metadata headers = new Metadata();
    Span span = telemetry.startAttempt(worker, attempts, headers);
    Attempt<R> attempt =
        new Attempt<>(
            this,
            worker,
            worker
                .link()
                .channel()
                .newCall(method.descriptor(), CallOptions.DEFAULT.withDeadline(deadline)),
            span);
    if (makeCurrent(attempt)) {
      attempt.start(headers, method.attempt(prepared, attempts, admissionWaitNanos));
    } else {
      attempt.abandon();
      advance(); // sees why
    }
  }

  /** Driver: the attempt ended without a message. */
  void failedBeforeFirstMessage(WorkerView worker, Status status, Metadata trailers) {
    if (endedElsewhere()) {
      return;
    }
    Failure failure = new Failure(worker.name(), status, trailers);
    switch (Verdict.of(status)) {
      case FAILED -> lastFailure = Optional.of(failure);
      case BUSY -> lastBusy = Optional.of(failure);
      case FINAL -> {
        close(status, trailers);
        return;
      }
    }
    log.debug("attempt {} at {} failed: {}", attempts, failure.worker(), failure.text());
    advance();
  }

  /** Driver: the worker was lost while its answer was passed on; what was sent stays sent. */
  void failedInMidStream(WorkerView worker, long lastSequence, Status status, Metadata trailers) {
    if (endedElsewhere()) {
      return;
    }
    Failure failure = new Failure(worker.name(), status, trailers);
    if (Verdict.of(status) != Verdict.FAILED
        || (status.getCode() == Status.Code.UNAVAILABLE && failure.explained())) {
      close(status, trailers);
    } else {
      refuse(Refusals.workerLost(failure, lastSequence));
    }
  }

  /** Driver: nobody is left to try. Room that will come is better news than a fault. */
  private void giveUp(String why) {
    Failure last = lastBusy.or(() -> lastFailure).orElseThrow();
    if (last.status().getCode() == Status.Code.UNAVAILABLE && !last.explained()) {
      refuse(Refusals.noneAnswered(last, attempts, why));
    } else {
      close(last.status(), last.trailers());
    }
  }

  /** Driver: from here on the attempt's messages go to the client. */
  void passingOn(Attempt<R> attempt) {
    passing = Optional.of(attempt);
    client.sendHeaders(new Metadata());
  }

  /** Driver: refuses. */
  private void refuse(Refusal refusal) {
    telemetry.refused(refusal);
    StatusRuntimeException refused = Statuses.toException(refusal);
    Metadata trailers = refused.getTrailers();
    close(refused.getStatus(), trailers == null ? new Metadata() : trailers);
  }

  /** Driver: answers the client; does nothing if it has gone. */
  void close(Status status, Metadata trailers) {
    synchronized (lock) {
      if (over) {
        return;
      }
      over = true;
      current = NOTHING;
    }
    settle(status);
    client.close(status, Trailers.toClient(trailers));
  }

  private void settle(Status status) {
    int made;
    synchronized (lock) {
      made = attempts;
    }
    proxy.open().remove(this);
    telemetry.answered(status, made, proxy.nanoClock().getAsLong() - arrivalNanos);
  }

  /** Driver: whether a cancel or an abort ended the call; answers the latter. */
  private boolean endedElsewhere() {
    Optional<Refusal> aborted;
    synchronized (lock) {
      if (over) {
        return true;
      }
      aborted = abortedWith;
    }
    aborted.ifPresent(this::refuse);
    return aborted.isPresent();
  }

  /** What a cancel must stop from now on. False if there is nothing left to do. */
  private boolean makeCurrent(Stoppable next) {
    synchronized (lock) {
      if (over || abortedWith.isPresent()) {
        return false;
      }
      current = next;
      return true;
    }
  }

  ForwardedMethod<R> method() {
    return method;
  }

  ServerCall<R, byte[]> client() {
    return client;
  }

  CallTelemetry telemetry() {
    return telemetry;
  }

  int messagesAhead() {
    return proxy.options().messagesAhead();
  }

  int attempts() {
    return attempts;
  }

  long admissionWaitNanos() {
    return admissionWaitNanos;
  }

  long nanosSinceArrival() {
    return proxy.nanoClock().getAsLong() - arrivalNanos;
  }

  /**
   * Waits until the fleet changes or the time is over; whoever comes first becomes the driver.
   *
   * <p>Threading: any thread may end it, one does.
   */
  private final class Wait implements Stoppable {
    private final FleetSnapshot seen;
    private final Duration limit;
    private final AtomicBoolean ended = new AtomicBoolean();
    private volatile Subscription change = () -> {};
    private volatile Subscription timeout = () -> {};

    Wait(FleetSnapshot seen, Duration limit) {
      this.seen = seen;
      this.limit = limit;
    }

    void begin() {
      if (!makeCurrent(this)) {
        advance(); // sees why
        return;
      }
      change = proxy.fleet().subscribe(this::end);
      timeout = proxy.fleet().schedule(limit, this::end);
      if (ended.get()) {
        unsubscribe(); // it ended while these two were made
      } else if (proxy.fleet().snapshot().version() != seen.version()) {
        end(); // the fleet changed before it could tell
      }
    }

    @Override
    public void stop(String why) {
      end();
    }

    private void end() {
      if (ended.compareAndSet(false, true)) {
        unsubscribe();
        advance();
      }
    }

    private void unsubscribe() {
      change.close();
      timeout.close();
    }
  }
}
