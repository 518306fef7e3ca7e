package dev.sluice.worker.engine;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.server.LogContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends choices and requests, takes back what they hold, and tells those who listen.
 *
 * <p>Threading: engine thread.
 */
final class RequestEnds {
  private static final Logger log = LoggerFactory.getLogger(RequestEnds.class);

  private final Scheduler scheduler;
  private final Admission admission;
  private final Deadlines deadlines;
  private final Intake intake;
  private final NanoClock clock;

  RequestEnds(
      Scheduler scheduler,
      Admission admission,
      Deadlines deadlines,
      Intake intake,
      NanoClock clock) {
    this.scheduler = scheduler;
    this.admission = admission;
    this.deadlines = deadlines;
    this.intake = intake;
    this.clock = clock;
  }

  /** Ends a choice, and with the last one its request. */
  void complete(Sequence sequence, FinishCause cause, int keptTokens) {
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
  void end(Sequence sequence, int keptTokens) {
    scheduler.end(sequence, keptTokens);
    completeWithoutChoices(sequence.request());
  }

  /** Ends a request all of whose choices have ended. */
  void completeWithoutChoices(Request request) {
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

  /** Ends a request whose listener has thrown something. */
  void failListener(Request request, Throwable error) {
    logError("Request {}: its listener failed", request, error);
    fail(request, Refusals.listenerFailed(request.requestId()));
  }

  /** Ends a request that cannot be served. */
  void fail(Request request, Refusal refusal) {
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
  void refuse(Request request, Refusal refusal) {
    request.end();
    intake.release(request);
    fail(request, refusal);
  }

  /** Takes everything away that a request holds. */
  void release(Request request) {
    request.end();
    scheduler.remove(request);
    deadlines.remove(request);
    if (!request.isScheduled()) {
      intake.release(request);
    }
  }

  /** Logs with the request's trace id. */
  static void logError(String message, Request request, Throwable error) {
    try (LogContext.Scope _ = LogContext.of(request.task().trace())) {
      log.error(message, request.requestId(), error);
    }
  }

  /** Something went wrong here. */
  static Refusal internal(Request request, String message) {
    return new Refusal.Internal(request.requestId(), message);
  }
}
