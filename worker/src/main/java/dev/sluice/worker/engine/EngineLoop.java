package dev.sluice.worker.engine;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.server.LogContext;
import dev.sluice.worker.engine.EngineSnapshot.State;
import dev.sluice.worker.sampling.NoTokenLeftException;
import java.time.Duration;
import java.util.List;
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
  private final Speculation speculation;
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
    this.speculation = new Speculation(config.draftTokens());
    this.scheduler =
        new Scheduler(geometry, config.prefillChunk(), config.scheduling(), blocks, speculation);
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
          if (request.task().isResumed()) {
            resume(request);
          }
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
      case EngineCommand.ListDecoding(CompletableFuture<List<String>> requestIds) ->
          requestIds.complete(scheduler.decodingRequestIds());
      case EngineCommand.Drain(long deadlineNanos) ->
          drainDeadline = OptionalLong.of(deadlineNanos);
      case EngineCommand.Undrain() -> drainDeadline = OptionalLong.empty();
      case EngineCommand.Close(long deadlineNanos) -> {
        drainDeadline = OptionalLong.of(deadlineNanos);
        closing = true;
      }
    }
  }

  /** Ends the choices that have come to their end elsewhere, whether that was heard or not. */
  private void resume(Request request) {
    for (int i = 0; i < request.choices() && !request.isEnded(); i++) {
      Sequence sequence = request.sequence(i);
      if (request.task().isFinished(i)) {
        end(sequence, Integer.MAX_VALUE);
      } else if (sequence.outputLength() > 0) {
        ending(sequence).ifPresent(cause -> complete(sequence, cause, Integer.MAX_VALUE));
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
        if (plan.prefillTokens() == 0) {
          speculation.observeStep(plan.tokens(), stepNanos);
        }
        observer.onStep(stepNanos, plan.size(), plan.prefillTokens(), plan.decodes());
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
        observer.onScheduled(request.task(), request.queueNanos());
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
      int scoredEnd = row + plan.scoredRows(i);
      int end = scoredEnd + plan.rows(i);
      for (; row < scoredEnd && !request.isEnded(); row++) {
        score(sequence, row);
      }
      if (!request.isEnded()) { // by another choice, in this step
        row = scoredEnd;
        blocks.advance(sequence, plan.count(i) - plan.drafts(i), now);
        if (plan.drafts(i) > 0) {
          produceWithDrafts(sequence, plan.drafts(i), row, now);
        } else {
          if (row < end && !request.isForked()) {
            blocks.fork(request);
          }
          for (; row < end && !request.isEnded(); row++) {
            produce(chooser.sequence(row), row);
          }
        }
      }
      row = end;
    }
  }

  /**
   * Hands out a sequence's next token, and as many more as its drafts were right: a row of logits
   * counts if the tokens before it are those that were chosen.
   */
  private void produceWithDrafts(Sequence sequence, int drafts, int row, long now) {
    int right = 0;
    boolean more = true;
    while (more) {
      boolean last = right == drafts;
      int draft = last ? 0 : sequence.token(sequence.length());
      produce(sequence, row + right);
      more = !last && !sequence.isEnded() && !sequence.request().isEnded();
      if (more && chooser.token(row + right) == draft) {
        blocks.advance(sequence, 1, now);
        right++;
      } else {
        more = false;
      }
    }
    speculation.observeDrafts(sequence, drafts, right);
    if (!sequence.isEnded() && !sequence.request().isEnded()) {
      blocks.dropDrafts(sequence);
      scheduler.accept(sequence, right);
    }
  }

  /** Hands out the log-probability of a prompt's next token. */
  private void score(Sequence sequence, int row) {
    Request request = sequence.request();
    if (hasFailed(request, row)) {
      return;
    }
    sequence.markScored();
    try {
      request.listener().onPromptLogprob(chooser.logprob(row).orElseThrow());
    } catch (Throwable e) {
      failListener(request, e);
    }
  }

  /** Whether a request has ended in this step before, or ends because of this row. */
  private boolean hasFailed(Request request, int row) {
    if (request.isEnded()) {
      return true;
    }
    Throwable failure = chooser.failure(row);
    if (failure == null) {
      return false;
    }
    logError("Request {}: no token could be chosen", request, failure);
    fail(request, internal(request, "no token could be chosen: " + failure.getMessage()));
    return true;
  }

  /** Hands out a sequence's next token. */
  private void produce(Sequence sequence, int row) {
    Request request = sequence.request();
    if (chooser.failure(row) instanceof NoTokenLeftException
        && sequence.decoding().isConstrained()
        && !request.isEnded()) {
      endDead(sequence);
      return;
    }
    if (hasFailed(request, row)) {
      return;
    }
    if (request.beams().isPresent()) {
      if (request.beams().get().accept(sequence, blocks)) {
        finishBeams(request, request.beams().get());
      }
      return;
    }
    GenerationTask task = request.task();
    int token = chooser.token(row);
    long now = clock.nanos();
    long gap = sequence.append(token, now);
    outputTokens++;
    boolean first = request.markToken(now);
    if (first) {
      observer.onFirstToken(task, request.ttftNanos());
      admission.started(request);
    } else if (sequence.chosenLength() > 1) {
      observer.onNextToken(task, gap);
    }
    try {
      tellPrefilled(request);
      if (chooser.logprob(row).isPresent()) {
        request.listener().onLogprob(sequence.choice(), chooser.logprob(row).get());
      }
      request.listener().onToken(sequence.choice(), token, task.endsChoice(token), now);
    } catch (Throwable e) {
      failListener(request, e);
      return;
    }
    Optional<FinishCause> cause = ending(sequence);
    if (cause.isPresent()) {
      complete(sequence, cause.get(), Integer.MAX_VALUE);
    }
  }

  /** Hands out the best beams. */
  private void finishBeams(Request request, BeamSearch search) {
    long now = clock.nanos();
    request.markToken(now);
    observer.onFirstToken(request.task(), request.ttftNanos());
    GenerationListener listener = request.listener();
    try {
      listener.onPrefilled(request.prefillSummary());
      int choice = 0;
      for (BeamSearch.Hypothesis best : search.best()) {
        int[] tokens = best.tokens();
        for (int i = 0; i < tokens.length; i++) {
          if (!best.logprobs().isEmpty()) {
            listener.onLogprob(choice, best.logprobs().get(i));
          }
          listener.onToken(choice, tokens[i], request.task().endsChoice(tokens[i]), now);
          request.markBeamToken();
          outputTokens++;
        }
        listener.onScore(choice, best.score());
        listener.onChoiceFinished(choice++, best.cause());
      }
    } catch (Throwable e) {
      failListener(request, e);
      return;
    }
    for (int i = 0; i < request.choices(); i++) {
      scheduler.end(request.sequence(i), 0);
    }
    completeWithoutChoices(request);
  }

  private static void tellPrefilled(Request request) {
    if (request.markToldPrefilled()) {
      request.listener().onPrefilled(request.prefillSummary());
    }
  }

  /** Ends a choice whose constraint leaves no token to choose. */
  private void endDead(Sequence sequence) {
    try {
      tellPrefilled(sequence.request());
    } catch (Throwable e) {
      failListener(sequence.request(), e);
      return;
    }
    complete(sequence, new FinishCause.ConstraintDeadEnd(), Integer.MAX_VALUE);
  }

  /** Why a choice ends behind its latest token, if it does. */
  private static Optional<FinishCause> ending(Sequence sequence) {
    Request request = sequence.request();
    int token = sequence.lastToken();
    if (request.task().endsChoice(token)) {
      return Optional.of(request.task().endingCause(token));
    }
    if (sequence.decoding().isDone()) {
      return Optional.of(new FinishCause.ConstraintDone());
    }
    return sequence.isFull() ? Optional.of(request.fullCause()) : Optional.empty();
  }

  /** Ends a choice, and with the last one its request. */
  private void complete(Sequence sequence, FinishCause cause, int keptTokens) {
    Request request = sequence.request();
    scheduler.end(sequence, keptTokens);
    try {
      request.listener().onChoiceFinished(sequence.choice(), cause);
    } catch (Throwable e) {
      failListener(request, e);
      return;
    }
    completeWithoutChoices(request);
  }

  /** Ends a choice of which the listener hears nothing. */
  private void end(Sequence sequence, int keptTokens) {
    scheduler.end(sequence, keptTokens);
    completeWithoutChoices(sequence.request());
  }

  private void completeWithoutChoices(Request request) {
    if (request.live() > 0) {
      return;
    }
    if (request.isScheduled()) {
      admission.completed(request, clock.nanos());
    }
    release(request);
    GenerationSummary summary = request.summary(clock.nanos());
    try {
      request.listener().onComplete(summary);
    } catch (Throwable e) {
      logError("Request {}: its listener failed at the end", request, e);
    }
  }

  private static void logError(String message, Request request, Throwable error) {
    try (LogContext.Scope _ = LogContext.of(request.task().trace())) {
      log.error(message, request.requestId(), error);
    }
  }

  private void failListener(Request request, Throwable error) {
    logError("Request {}: its listener failed", request, error);
    fail(request, internal(request, "the receiver of the tokens failed"));
  }

  private void fail(Request request, Refusal refusal) {
    if (!request.isEnded()) {
      release(request);
    }
    try {
      request.listener().onFailed(refusal, request.summary(clock.nanos()));
    } catch (Throwable e) {
      logError("Request {}: its listener failed at the end", request, e);
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
        speculation.drafts(),
        speculation.accepted(),
        new EngineSnapshot.Phases(scheduleNanos, modelNanos, samplingNanos, publishNanos));
  }
}
