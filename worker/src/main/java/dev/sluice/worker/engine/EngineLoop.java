package dev.sluice.worker.engine;

import dev.sluice.common.error.Refusal;
import dev.sluice.worker.engine.EngineSnapshot.State;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine thread: takes commands, then computes one step, and so on; waits for a command when it
 * has no request. A step is planned, executed, and only then committed: if the model runner fails,
 * no sequence has moved.
 *
 * <p>Threading: one thread runs it and owns everything here; other threads reach it through {@link
 * Intake} and call only {@link #snapshot}. A step allocates its snapshot and nothing else; so does
 * a token.
 */
final class EngineLoop implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(EngineLoop.class);

  private final ModelRunner runner;
  private final ModelRunner.Geometry geometry;
  private final NanoClock clock;
  private final EngineObserver observer;
  private final Intake intake;
  private final boolean checkIntegrity;
  private final Duration retryAfter;
  private final CacheJournal journal;
  private final KvBlocks blocks;
  private final Scheduler scheduler;
  private final Admission admission;
  private final Deadlines deadlines = new Deadlines();
  private final StepBatch batch;
  private final TokenChooser chooser;
  private OptionalLong drainDeadline = OptionalLong.empty();
  private boolean closing;

  private long markNanos; // end of the phase before
  private long scheduleNanos;
  private long modelNanos;
  private long samplingNanos;
  private long publishNanos;
  private long steps;
  private long stepNanos;
  private long outputTokens;
  private long cancelled;
  private volatile EngineSnapshot published;
  private volatile long stepStartNanos;
  private volatile boolean stepping;

  EngineLoop(
      ModelRunner runner,
      EngineConfig config,
      NanoClock clock,
      EngineObserver observer,
      Intake intake,
      CacheJournal journal) {
    this.runner = runner;
    this.geometry = runner.geometry();
    this.clock = clock;
    this.observer = observer;
    this.intake = intake;
    this.checkIntegrity = config.checkIntegrity();
    this.retryAfter = config.retryAfter();
    this.journal = journal;
    this.blocks = new KvBlocks(geometry, config.prefixCache(), runner.copiesBlocks(), journal);
    this.scheduler = new Scheduler(geometry, config.prefillChunk(), config.scheduling(), blocks);
    this.admission = new Admission(scheduler, geometry, config.retryAfter());
    this.batch = new StepBatch(geometry);
    this.chooser = new TokenChooser(runner, config);
    this.published = state();
  }

  @Override
  public void run() {
    try (chooser) {
      chooser.start();
      while (true) {
        takeCommands();
        if (!scheduler.isEmpty()) {
          step();
        } else if (closing) {
          break;
        }
      }
      intake.end(State.STOPPED);
    } catch (Throwable error) {
      log.error("The engine has failed", error);
      intake.end(State.FAILED);
      failAll(error);
    }
  }

  /** Takes all commands that are there and computes a step, if there is one; does not wait. */
  boolean turn() {
    takeCommands(intake.poll());
    boolean busy = !scheduler.isEmpty();
    if (busy) {
      step();
    }
    return busy;
  }

  /** Takes all commands that are there; waits for one if there is nothing else to do. */
  private void takeCommands() throws InterruptedException {
    boolean idle = scheduler.isEmpty() && !closing;
    EngineCommand command = idle ? intake.take() : intake.poll();
    if (idle) {
      lap(); // waiting is no work
    }
    takeCommands(command);
  }

  private void takeCommands(@Nullable EngineCommand first) {
    EngineCommand command = first;
    if (command == null) {
      return;
    }
    int requests = 0;
    long tokens = 0;
    while (command != null) {
      if (command instanceof EngineCommand.Submit(Request request)) {
        requests++;
        tokens += request.promptLength();
      }
      apply(command);
      command = intake.poll();
    }
    publish();
    intake.seen(requests, tokens);
  }

  private void apply(EngineCommand command) {
    switch (command) {
      case EngineCommand.Submit(Request request) -> {
        long now = clock.nanos();
        Optional<Refusal> refusal = admission.check(request, now);
        if (refusal.isPresent()) {
          refuse(request, refusal.get());
        } else {
          scheduler.add(request, now);
          deadlines.add(request);
        }
      }
      case EngineCommand.Cancel(Request request) -> {
        if (!request.isEnded()) {
          cancelled++;
          fail(request, new Refusal.Cancelled("the caller has cancelled the request"));
        }
      }
      case EngineCommand.Stop(Sequence sequence, int keptTokens) -> {
        if (!sequence.isEnded() && !sequence.request().isEnded()) {
          complete(sequence, new FinishCause.Stopped(), keptTokens);
        }
      }
      case EngineCommand.ListCache(CompletableFuture<CacheContent> content) -> {
        CacheContent now = new CacheContent(blocks.pool().cache().hashes(), journal.position());
        content.complete(now);
      }
      case EngineCommand.Drain(long deadlineNanos) ->
          drainDeadline = OptionalLong.of(deadlineNanos);
      case EngineCommand.Undrain() -> drainDeadline = OptionalLong.empty();
      case EngineCommand.Close(long deadlineNanos) -> {
        drainDeadline = OptionalLong.of(deadlineNanos);
        closing = true;
      }
    }
  }

  private void step() {
    long start = clock.nanos();
    stepStartNanos = start;
    stepping = true;
    failLate(start);
    if (!scheduler.isEmpty()) {
      long preemptionsBefore = scheduler.preemptions();
      StepPlan plan = scheduler.plan(start);
      boolean late = failHopeless();
      for (long i = preemptionsBefore; i < scheduler.preemptions(); i++) {
        observer.onPreempted();
      }
      if (plan.size() == 0) {
        if (!late) {
          throw new IllegalStateException(
              "no step for " + scheduler.waitingCount() + " waiting requests");
        }
        stepping = false;
        publish();
        return;
      }
      markScheduled(plan, start);
      plan.writeTo(batch, blocks.copies(), geometry);
      scheduleNanos += lap();
      boolean computed = execute(plan);
      modelNanos += lap();
      if (computed) {
        chooser.choose(plan);
        samplingNanos += lap();
        commit(plan);
        steps++;
        stepNanos = clock.nanos() - start;
        scheduler.budget().observe(stepNanos);
        admission.stepped(stepNanos);
        observer.onStep(stepNanos, plan.size(), plan.tokens() - plan.decodes(), plan.decodes());
        publishNanos += lap();
      }
      if (checkIntegrity) {
        scheduler.checkIntegrity();
      }
    }
    stepping = false;
    publish();
  }

  /** The time since it was last called: that of one phase. */
  private long lap() {
    long now = clock.nanos();
    long nanos = now - markNanos;
    markNanos = now;
    return nanos;
  }

  /** Fails those whose time is over: their own deadline's, or the drain's. */
  private void failLate(long now) {
    Request late;
    while ((late = deadlines.expired(now)) != null) {
      fail(late, new Refusal.DeadlineExceeded(lateMessage(late)));
    }
    if (drainDeadline.isPresent() && drainDeadline.getAsLong() - now <= 0) {
      while ((late = scheduler.any()) != null) {
        fail(
            late,
            new Refusal.Unavailable(
                "DRAINING", "the worker ended before the request did", retryAfter));
      }
    }
  }

  /** Fails those whose first token could not come in time any more, before they cost anything. */
  private boolean failHopeless() {
    boolean any = false;
    Request request;
    while ((request = scheduler.hopeless()) != null) {
      fail(
          request, new Refusal.DeadlineExceeded("the deadline comes before the first token could"));
      any = true;
    }
    return any;
  }

  private static String lateMessage(Request request) {
    return "the deadline passed "
        + (request.isScheduled()
            ? "after " + request.outputLength() + " output tokens"
            : "while the request waited");
  }

  private void markScheduled(StepPlan plan, long now) {
    for (int i = 0; i < plan.size(); i++) {
      Request request = plan.sequence(i).request();
      if (!request.isScheduled()) {
        request.markScheduled(now);
        intake.release(request);
        observer.onScheduled(request.queueNanos());
      }
    }
  }

  /** Computes the step, at the second try if need be; otherwise its sequences fail. */
  private boolean execute(StepPlan plan) {
    try {
      runner.execute(batch);
      return true;
    } catch (RuntimeException first) {
      log.warn("A step of {} tokens failed and is repeated: {}", plan.tokens(), first.toString());
    }
    try {
      runner.execute(batch);
      return true;
    } catch (RuntimeException second) {
      log.error("A step of {} tokens failed again; its requests fail", plan.tokens(), second);
    }
    for (int i = 0; i < plan.size(); i++) {
      Request request = plan.sequence(i).request();
      if (!request.isEnded()) {
        fail(request, internal(request, "the model failed to compute a step"));
      }
    }
    return false;
  }

  /** The step has happened: its sequences advance, and those with nothing left get a token. */
  private void commit(StepPlan plan) {
    long now = clock.nanos();
    int row = 0;
    for (int i = 0; i < plan.size(); i++) {
      Sequence sequence = plan.sequence(i);
      Request request = sequence.request();
      int end = row + plan.rows(i);
      if (!request.isEnded()) { // by another choice, in this step
        blocks.advance(sequence, plan.count(i), now);
        if (row < end && !request.isForked()) {
          blocks.fork(request);
        }
        for (; row < end && !request.isEnded(); row++) {
          produce(chooser.sequence(row), row);
        }
      }
      row = end;
    }
  }

  /** Hands out a sequence's next token. */
  private void produce(Sequence sequence, int row) {
    Request request = sequence.request();
    Throwable failure = chooser.failure(row);
    if (failure != null) {
      log.error("Request {}: no token could be chosen", request.requestId(), failure);
      fail(request, internal(request, "no token could be chosen: " + failure.getMessage()));
      return;
    }
    GenerationTask task = request.task();
    int token = chooser.token(row);
    long now = clock.nanos();
    long gap = sequence.append(token, now);
    outputTokens++;
    boolean first = request.markToken(now);
    if (first) {
      observer.onFirstToken(request.ttftNanos());
      admission.started(request);
    } else if (sequence.outputLength() > 1) {
      observer.onNextToken(gap);
    }
    boolean endOfSequence = task.isEndOfSequence(token);
    boolean stopToken = !endOfSequence && task.isStopToken(token);
    try {
      if (first) {
        request.listener().onPrefilled(request.prefillSummary());
      }
      request.listener().onToken(sequence.choice(), token, endOfSequence || stopToken, now);
    } catch (Throwable e) {
      failListener(request, e);
      return;
    }
    if (endOfSequence) {
      complete(sequence, new FinishCause.EndOfSequence(token), Integer.MAX_VALUE);
    } else if (stopToken) {
      complete(sequence, new FinishCause.StopToken(token), Integer.MAX_VALUE);
    } else if (sequence.isFull()) {
      complete(sequence, request.fullCause(), Integer.MAX_VALUE);
    }
  }

  /** Ends a choice, and with the last one its request. */
  private void complete(Sequence sequence, FinishCause cause, int keptTokens) {
    Request request = sequence.request();
    scheduler.end(sequence, keptTokens);
    if (request.live() == 0) {
      admission.completed(request, clock.nanos());
      release(request);
    }
    GenerationSummary summary = request.summary(clock.nanos());
    try {
      request.listener().onChoiceFinished(sequence.choice(), cause);
    } catch (Throwable e) {
      failListener(request, e);
      return;
    }
    if (request.live() > 0) {
      return;
    }
    try {
      request.listener().onComplete(summary);
    } catch (Throwable e) {
      log.error("Request {}: its listener failed at the end", request.requestId(), e);
    }
  }

  private void failListener(Request request, Throwable error) {
    log.error("Request {}: its listener failed", request.requestId(), error);
    fail(request, internal(request, "the receiver of the tokens failed"));
  }

  private void fail(Request request, Refusal refusal) {
    if (!request.isEnded()) {
      release(request);
    }
    try {
      request.listener().onFailed(refusal, request.summary(clock.nanos()));
    } catch (Throwable e) {
      log.error("Request {}: its listener failed at the end", request.requestId(), e);
    }
  }

  /** A request is not let in. */
  private void refuse(Request request, Refusal refusal) {
    request.end();
    intake.release(request);
    fail(request, refusal);
  }

  /** Takes everything away that a request holds. */
  private void release(Request request) {
    request.end();
    scheduler.remove(request);
    deadlines.remove(request);
    if (!request.isScheduled()) {
      intake.release(request);
    }
  }

  private static Refusal internal(Request request, String message) {
    return new Refusal.Internal(request.requestId(), message);
  }

  /** Fails every request there is, when the engine ends by an error. */
  private void failAll(Throwable error) {
    closing = true;
    EngineCommand command;
    while ((command = intake.poll()) != null) {
      if (command instanceof EngineCommand.Submit) {
        apply(command);
      }
    }
    Request request;
    while ((request = scheduler.any()) != null) {
      try {
        release(request);
      } catch (RuntimeException e) {
        log.error("The books are in disorder", e); // which may be why the engine has failed
      }
      fail(
          request,
          request.isScheduled() // it may be the cause, and is not to be tried elsewhere
              ? internal(request, "the engine has failed: " + error)
              : new Refusal.Unavailable("ENGINE_FAILED", "the engine has failed", retryAfter));
    }
    stepping = false;
    publish();
  }

  /** The state now; called by any thread. */
  EngineSnapshot snapshot() {
    Intake.Unseen unseen = intake.unseen();
    EngineSnapshot last = published;
    long stepAge = stepping ? Math.max(0, clock.nanos() - stepStartNanos) : 0;
    return last.with(unseen, stepAge);
  }

  private void publish() {
    published = state();
    intake.retryAfter(admission.retryNanos(published.pendingPrefillTokens()));
  }

  private EngineSnapshot state() {
    BlockPool pool = scheduler.pool();
    return new EngineSnapshot(
        State.SERVING,
        scheduler.runningCount(),
        scheduler.waitingCount(),
        scheduler.pendingPrefillTokens(),
        pool.total(),
        pool.owned(),
        pool.free(),
        steps,
        0,
        stepNanos,
        outputTokens,
        scheduler.preemptions(),
        cancelled,
        new EngineSnapshot.Phases(scheduleNanos, modelNanos, samplingNanos, publishNanos));
  }
}
