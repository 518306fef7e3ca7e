package dev.sluice.router.proxy;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.Statuses;
import dev.sluice.common.server.EventLoops;
import dev.sluice.router.admission.Place;
import dev.sluice.router.admission.Toll;
import dev.sluice.router.admission.Waiter;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.index.BlockHashes;
import dev.sluice.router.policy.Requirements;
import dev.sluice.router.policy.Selection;
import dev.sluice.router.prompt.TokenizedPrompt;
import dev.sluice.v1.Resume;
import io.grpc.CallOptions;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.netty.channel.EventLoop;
import io.opentelemetry.api.trace.Span;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One call on its way: chooses a worker, tries it, tries another if it is lost, and passes the
 * answer on. Nothing reaches the client before the first message, not even headers: until then the
 * call can begin anew elsewhere; afterwards another worker goes on with the stream where it broke
 * off (see {@link Progress}).
 *
 * <pre>
 *   start ─▶ advance ──chosen──▶ attempt ──messages──▶ answered
 *              ▲  │                 │
 *              │  ├─no room─▶ queue │
 *              │  └─nobody──▶ wait  │ lost or busy
 *              └──────────────┴─────┘
 * </pre>
 *
 * <p>Threading: a call has one driver at a time: the thread that starts it, then the listener of
 * the current attempt, or whoever ends a wait or gives it its turn; each hands over before it
 * returns. Only the driver touches the client's call and the plain fields. A cancel or abort comes
 * from any thread: under the lock it leaves its mark and takes {@code current}, then stops that,
 * which gives the driver its turn. Nothing foreign is called with the lock held.
 */
final class ForwardedCall<R> {
  private static final Logger log = LoggerFactory.getLogger(ForwardedCall.class);
  private static final Stoppable NOTHING = _ -> {};
  private static final String TOKENIZER_MISMATCH = "TOKENIZER_MISMATCH";

  private final Proxy proxy;
  private final ForwardedMethod<R> method;
  private final Prepared<R> prepared;
  private final ServerCall<R, byte[]> client;
  private final Deadline deadline;
  private final long arrivalNanos;
  private final CallTelemetry telemetry;
  private final Optional<Place> place;

  private final Object lock = new Object();
  private Stoppable current = NOTHING; // guarded by lock
  private boolean over; // guarded by lock
  private Optional<Refusal> abortedWith = Optional.empty(); // guarded by lock

  private final Moves moves;
  private final StreamCheck check;
  private int attempts; // written under lock: a cancel reads it
  private long admissionWaitNanos;
  private String fingerprint = ""; // of the worker that began the stream
  private int tokensAtLoss;
  private boolean tokensRefused; // by a worker with another tokenizer
  private volatile Optional<Attempt<R>> passing = Optional.empty();

  ForwardedCall(
      Proxy proxy,
      ForwardedMethod<R> method,
      Prepared<R> prepared,
      ServerCall<R, byte[]> client,
      Deadline deadline,
      long arrivalNanos,
      CallTelemetry telemetry,
      Optional<Place> place) {
    this.proxy = proxy;
    this.method = method;
    this.prepared = prepared;
    this.client = client;
    this.deadline = deadline;
    this.arrivalNanos = arrivalNanos;
    this.telemetry = telemetry;
    this.place = place;
    moves = new Moves(proxy.retryBudget(), proxy.options().maxAttempts());
    check =
        new StreamCheck(
            telemetry,
            proxy.nanoClock(),
            arrivalNanos,
            prepared.resume(),
            place.<Toll>map(p -> p).orElse(Toll.FREE));
  }

  void start() {
    proxy.open().add(this);
    proxy.retryBudget().request();
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
    FleetSnapshot snapshot = proxy.fleet().snapshot();
    if (attempts == 0 && place.isPresent() && !place.get().tryPass(snapshot)) {
      enqueue(place.get(), snapshot);
    } else {
      proceed(snapshot, select(snapshot));
    }
  }

  private void proceed(FleetSnapshot snapshot, Selection selection) {
    switch (selection) {
      case Selection.Chosen chosen -> attempt(chosen);
      case Selection.None _ when moves.forgive() -> advance();
      case Selection.NoRoom _ when place.isPresent() -> enqueue(place.get(), snapshot);
      case Selection.None none -> {
        Duration patience = patience(none);
        if (patience.isPositive()) {
          await(Optional.of(snapshot), patience);
        } else if (deadline.isExpired()) {
          refuse(new Refusal.DeadlineExceeded("the request's time is over"));
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
    long before = now();
    Selection selection =
        proxy
            .selector()
            .select(
                snapshot,
                new Requirements(
                    prepared.model(),
                    prepared.affinity(),
                    prepared.promptTokens() + check.progress().outputTokens(),
                    prepared.tokens().map(TokenizedPrompt::blocks).orElse(BlockHashes.NONE),
                    moves.moved() || prepared.resume().isPresent(),
                    begun() ? Optional.of(fingerprint) : Optional.empty(),
                    moves.tried()));
    telemetry.decided(selection, route, now() - before);
    return selection;
  }

  /** How long this call may wait for a worker. */
  private Duration patience(Selection.None none) {
    if (moves.moved()) {
      return beforeDeadline(moves.patience(proxy.options().resumeTimeout(), begun(), now()));
    }
    if (moves.mayFindRoom()) {
      return queuePatience();
    }
    return none.joining()
        ? beforeDeadline(proxy.options().joinTimeout().minusNanos(now() - arrivalNanos))
        : Duration.ZERO;
  }

  /** How long this call may wait for room. */
  private Duration queuePatience() {
    return place.isPresent()
        ? beforeDeadline(proxy.admission().queueTimeout().minusNanos(now() - arrivalNanos))
        : Duration.ZERO;
  }

  private Duration beforeDeadline(Duration patience) {
    Duration left = Duration.ofNanos(deadline.timeRemaining(TimeUnit.NANOSECONDS));
    return left.compareTo(patience) < 0 ? left : patience;
  }

  /** Driver: waits until it is this call's turn and a worker has room. */
  private void enqueue(Place waits, FleetSnapshot seen) {
    Duration patience = queuePatience();
    if (!patience.isPositive()) {
      refuse(
          deadline.isExpired()
              ? new Refusal.DeadlineExceeded("the request's time is over")
              : proxy.admission().timedOut(prepared.model()));
      return;
    }
    InQueue wait = new InQueue(waits);
    if (!makeCurrent(wait)) {
      advance(); // sees why
      return;
    }
    telemetry.queued();
    switch (waits.join(seen, wait, patience)) {
      case Place.Joined.Waits _ -> {} // whoever ends the wait goes on
      case Place.Joined.Stopped _ -> advance();
      case Place.Joined.Full(Refusal refusal) -> refuse(refusal);
    }
  }

  /** While it waits for room: whoever is called here is the driver. */
  private final class InQueue implements Stoppable, Waiter {
    private final Place waits;

    InQueue(Place waits) {
      this.waits = waits;
    }

    @Override
    public Optional<Runnable> turn() {
      FleetSnapshot snapshot = proxy.fleet().snapshot();
      Selection selection = select(snapshot);
      return selection instanceof Selection.NoRoom
          ? Optional.empty()
          : Optional.of(() -> proceed(snapshot, selection));
    }

    @Override
    public void left() {
      advance();
    }

    @Override
    public void stop(String why) {
      waits.stop();
    }
  }

  /**
   * Driver: waits, no longer than the workers that had no room are let alone.
   *
   * @param seen the fleet whose change ends the wait, too; empty if none does
   */
  private void await(Optional<FleetSnapshot> seen, Duration patience) {
    Duration pause = moves.pause(now()).orElse(patience);
    FleetWait wait =
        new FleetWait(
            proxy.fleet(),
            () -> {
              moves.waited(now());
              advance();
            });
    if (makeCurrent(wait)) {
      wait.begin(seen, pause.compareTo(patience) < 0 ? pause : patience);
    } else {
      advance(); // sees why
    }
  }

  /** Driver: workers that were asked have no room, and no more may be asked now. */
  private void pauseOr(String giveUpWhy) {
    Duration patience = moves.mayFindRoom() && !moves.moved() ? queuePatience() : Duration.ZERO;
    if (patience.isPositive()) {
      await(Optional.empty(), patience);
    } else {
      giveUp(giveUpWhy);
    }
  }

  private void attempt(Selection.Chosen chosen) {
    WorkerView worker = chosen.worker();
    synchronized (lock) {
      attempts++;
    }
    long now = now();
    moves.dispatched(worker, now);
    place.ifPresent(p -> p.dispatched(worker.pendingPrefillTokens()));
    if (attempts == 1) {
      admissionWaitNanos = now - arrivalNanos;
      telemetry.admitted(admissionWaitNanos);
    }
    Metadata headers = new Metadata();
    Span span = telemetry.startAttempt(worker, attempts, headers);
    Attempt<R> attempt =
        new Attempt<>(
            this,
            worker,
            chosen.pass(),
            chosen.charge(),
            worker.link().channel().newCall(method.descriptor(), options()),
            span);
    if (makeCurrent(attempt)) {
      Optional<Resume> resume =
          begun() ? Optional.of(check.progress().toResume()) : Optional.empty();
      attempt.start(
          headers,
          method.attempt(
              prepared, new Dispatch(attempts, admissionWaitNanos, resume, tokensFor(worker))));
    } else {
      attempt.abandon();
      advance(); // sees why
    }
  }

  /** The worker's messages come on the event loop that sends them to the client. */
  private CallOptions options() {
    EventLoop loop = client.getAttributes().get(EventLoops.OF_CONNECTION);
    CallOptions options = CallOptions.DEFAULT.withDeadline(deadline);
    return loop == null ? options : options.withOption(EventLoops.OF_CALL, loop);
  }

  /** Driver: the prompt's tokens, if they are what the worker would make of the prompt. */
  private Optional<TokenizedPrompt> tokensFor(WorkerView worker) {
    Optional<String> theirs =
        worker.report().map(report -> report.model().getTokenizerFingerprint());
    return tokensRefused
        ? Optional.empty()
        : prepared
            .tokens()
            .filter(prompt -> prompt.tokenizer().isPresent() && prompt.tokenizer().equals(theirs));
  }

  /** Driver: the attempt ended, and the answer is not complete. */
  void failed(WorkerView worker, Failure failure, boolean delivered) {
    if (endedElsewhere()) {
      return;
    }
    if (failure.kind() == FailureKind.FINAL
        && failure.isFor(TOKENIZER_MISMATCH)
        && !tokensRefused
        && prepared.tokens().isPresent()) {
      // It was started anew with another tokenizer, and its report is on the way. It gets the
      // prompt as the client wrote it.
      tokensRefused = true;
      moves.tried().forget(worker);
      advance();
      return;
    }
    if (failure.kind() == FailureKind.FINAL || (failure.kind() == FailureKind.BUSY && delivered)) {
      close(failure.status(), failure.trailers());
      return;
    }
    log.debug("attempt {} at {} failed: {}", attempts, failure.worker(), failure.text());
    tokensAtLoss = check.progress().outputTokens();
    switch (moves.lost(worker, failure, delivered, now())) {
      case Moves.Next.MoveOn _ -> advance();
      case Moves.Next.Stop(String why) -> pauseOr(why);
      case Moves.Next.KillsWorkers _ ->
          refuse(Refusals.killsWorkers(prepared.requestId(), failure));
    }
  }

  /** Driver: nobody is left to try. */
  private void giveUp(String why) {
    Failure last = moves.reason().orElseThrow();
    if (begun()) {
      Failure loss = moves.loss().orElse(last);
      if (loss.status().getCode() == Status.Code.UNAVAILABLE && loss.explained()) {
        close(loss.status(), loss.trailers());
      } else {
        refuse(Refusals.workerLost(loss, check.progress().lastSequence(), why));
      }
    } else if (last.status().getCode() == Status.Code.UNAVAILABLE && !last.explained()) {
      refuse(Refusals.noneAnswered(last, attempts, why));
    } else {
      close(last.status(), last.trailers());
    }
  }

  /** Driver: from here on the attempt's messages go to the client; this one is the first. */
  void passingOn(Attempt<R> attempt) {
    boolean goesOn = passing.isPresent();
    passing = Optional.of(attempt);
    WorkerView worker = attempt.target();
    moves.arrived(goesOn);
    if (goesOn) {
      moves
          .loss()
          .ifPresent(loss ->
              telemetry.resumed(
                  loss.worker(),
                  worker.name(),
                  loss.kind().label(),
                  moves.interruptedNanos(),
                  tokensAtLoss));
    } else {
      fingerprint = worker.report().map(r -> r.identity().getNumericsFingerprint()).orElse("");
      client.sendHeaders(new Metadata());
    }
  }

  /** Driver: the message that completes the answer, as the client gets it. */
  byte[] complete(byte[] message) throws InvalidProtocolBufferException {
    Optional<Journey.Resumed> resumed =
        moves.resumes() == 0 || check.started().isEmpty()
            ? Optional.empty()
            : Optional.of(
                new Journey.Resumed(
                    moves.resumes(),
                    moves.interruptedNanos(),
                    check.started().get(),
                    check.progress(),
                    arrivalNanos,
                    now()));
    Completion completion =
        method.complete(message, new Journey(attempts, admissionWaitNanos, resumed));
    telemetry.completed(completion);
    place.ifPresent(p ->
        p.completed(
            completion.usage().getCachedPromptTokens(),
            completion.usage().getOutputTokens(),
            check.progress().meanGapNanos()));
    completion.finishReasons().forEach(telemetry::choiceFinished);
    return completion.message().toByteArray();
  }

  /** Driver: refuses. */
  private void refuse(Refusal refusal) {
    String reason = telemetry.refused(refusal);
    place.ifPresent(p -> p.refused(reason));
    StatusRuntimeException refused = Statuses.toException(refusal);
    Metadata trailers = refused.getTrailers() == null ? new Metadata() : refused.getTrailers();
    if (begun()) {
      Trailers.putUsage(trailers, check.usage());
    }
    close(refused.getStatus(), trailers);
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
    place.ifPresent(p -> {
      p.refused(status.getCode().name());
      p.close();
    });
    telemetry.answered(status, made, now() - arrivalNanos);
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

  /** Whether the client has a part of the answer. */
  boolean begun() {
    return check.progress().begun();
  }

  private long now() {
    return proxy.nanoClock().getAsLong();
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

  StreamCheck check() {
    return check;
  }

  /** A worker may have room that had none. */
  void roomFreed() {
    proxy.admission().roomFreed();
  }

  String requestId() {
    return prepared.requestId();
  }

  /** Whether tokens are sent as they are made. */
  boolean streamsTokens() {
    return prepared.streamsTokens();
  }

  int messagesAhead() {
    return proxy.options().messagesAhead();
  }
}
