package dev.sluice.worker.engine;

import dev.sluice.common.error.Refusal;
import dev.sluice.worker.engine.EngineSnapshot.State;
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
  private final RequestEnds ends;
  private final StepBatch batch;
  private final TokenChooser chooser;
  private final StepOutput output;
  private OptionalLong drainDeadline = OptionalLong.empty();
  private boolean closing;

  private long markNanos; // end of the phase before
  private long scheduleNanos;
  private long modelNanos;
  private long samplingNanos;
  private long publishNanos;
  private long steps;
  private long stepNanos;
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
    this.ends = new RequestEnds(scheduler, admission, deadlines, intake, clock);
    this.output =
        new StepOutput(scheduler, blocks, chooser, speculation, admission, ends, observer, clock);
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
          ends.refuse(request, refusal.get());
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
          ends.fail(request, Refusals.cancelled());
        }
      }
      case EngineCommand.Stop(Sequence sequence, int keptTokens) -> {
        if (!sequence.isEnded() && !sequence.request().isEnded()) {
          ends.complete(sequence, new FinishCause.Stopped(), keptTokens);
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
        ends.end(sequence, Integer.MAX_VALUE);
      } else if (sequence.outputLength() > 0) {
        StepOutput.ending(sequence)
            .ifPresent(cause -> ends.complete(sequence, cause, Integer.MAX_VALUE));
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
        output.commit(plan);
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
      ends.fail(late, Refusals.expired(late.isScheduled(), late.outputLength()));
    }
    if (drainDeadline.isPresent() && drainDeadline.getAsLong() - now <= 0) {
      while ((late = scheduler.any()) != null) {
        ends.fail(late, Refusals.drained(retryAfter));
      }
    }
  }

  /** Fails those whose first token could not come in time any more, before they cost anything. */
  private boolean failHopeless() {
    boolean any = false;
    Request request;
    while ((request = scheduler.hopeless()) != null) {
      ends.fail(
          request, new Refusal.DeadlineExceeded("the deadline comes before the first token could"));
      any = true;
    }
    return any;
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
        ends.fail(request, RequestEnds.internal(request, "the model failed to compute a step"));
      }
    }
    return false;
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
        ends.release(request);
      } catch (RuntimeException e) {
        log.error("The books are in disorder", e); // which may be why the engine has failed
      }
      ends.fail(
          request,
          request.isScheduled() // it may be the cause, and is not to be tried elsewhere
              ? RequestEnds.internal(request, "the engine has failed: " + error)
              : Refusals.notServing(State.FAILED, retryAfter));
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
        output.outputTokens(),
        scheduler.preemptions(),
        cancelled,
        speculation.drafts(),
        speculation.accepted(),
        new EngineSnapshot.Phases(scheduleNanos, modelNanos, samplingNanos, publishNanos));
  }
}
