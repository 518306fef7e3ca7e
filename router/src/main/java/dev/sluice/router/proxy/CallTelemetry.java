package dev.sluice.router.proxy;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.telemetry.GenAi;
import dev.sluice.router.admission.Demand;
import dev.sluice.router.fleet.Charge;
import dev.sluice.router.fleet.WorkerBreaker;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.page.Trail;
import dev.sluice.router.policy.Selection;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.Finished;
import dev.sluice.v1.Started;
import dev.sluice.v1.Timings;
import dev.sluice.v1.Usage;
import io.grpc.Metadata;
import io.grpc.Status;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Spans and measurements of one forwarded call, and its line on the live page.
 *
 * <p>Threading: whoever drives the call (see {@link ForwardedCall}); nothing is called per message.
 */
final class CallTelemetry {
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double NANOS_PER_MICRO = 1e3;
  private static final String REASON_PREFIX = "FINISH_REASON_";
  private static final String UNKNOWN_MODEL = "unknown";

  private final Tracing tracing;
  private final ProxyMetrics metrics;
  private final String method;
  private final String policy;
  private final Trail trail;
  private final Context context;
  private final Span span;
  private final List<String> finishReasons = new ArrayList<>();
  private volatile Optional<Span> admission = Optional.empty(); // while it lasts
  private volatile Optional<Span> resume = Optional.empty(); // while it lasts
  private SpanContext latestAttempt = SpanContext.getInvalid();
  private String operation = "";
  private String spanName;
  private volatile String model = UNKNOWN_MODEL;

  CallTelemetry(
      Tracing tracing,
      ProxyMetrics metrics,
      String method,
      String policy,
      Trail trail,
      Metadata headers) {
    this.tracing = tracing;
    this.metrics = metrics;
    this.method = method;
    this.policy = policy;
    this.trail = trail;
    spanName = method;
    context = tracing.startServer(method, headers);
    span = Span.fromContext(context);
  }

  /** Holds the call's span; to be passed on. */
  Context context() {
    return context;
  }

  Span span() {
    return span;
  }

  /** The request is known. */
  void received(String operation, String verb, String requestId, String model) {
    this.operation = operation;
    spanName = model.isEmpty() ? verb : verb + " " + model;
    trail.received(
        requestId,
        span.getSpanContext().isValid() ? span.getSpanContext().getTraceId() : "",
        model);
    span.updateName(spanName);
    if (!operation.isEmpty()) {
      span.setAttribute(GenAi.OPERATION, operation);
      span.setAttribute(GenAi.PROVIDER, GenAi.SLUICE);
    }
    if (!model.isEmpty()) {
      span.setAttribute(GenAi.REQUEST_MODEL, model);
    }
    if (!requestId.isEmpty()) {
      span.setAttribute(GenAi.RESPONSE_ID, requestId);
    }
  }

  /**
   * A routing decision was made.
   *
   * @param tokens of the prompt, and of what the client has of the answer
   */
  void decided(Selection selection, int tokens, Span route, long nanos) {
    String outcome;
    switch (selection) {
      case Selection.Chosen(
              WorkerView worker,
              int candidates,
              WorkerBreaker.Pass _,
              Charge charge) -> {
        outcome = "chosen";
        model = worker.report().map(r -> r.model().getId()).orElse(UNKNOWN_MODEL);
        trail.routed(model, candidates);
        route.setAttribute(Names.WORKER, worker.name());
        route.setAttribute(Names.CANDIDATES, (long) candidates);
        route.setAttribute(Names.NEW_TOKENS, (long) charge.newTokens());
        route.setAttribute(Names.OVERLAP_TOKENS, (long) tokens - charge.newTokens());
      }
      case Selection.UnknownModel _ -> outcome = "unknown-model";
      case Selection.AmbiguousModel _ -> outcome = "ambiguous-model";
      case Selection.NobodyReady _ -> outcome = "nobody-ready";
      case Selection.NoRoom _ -> outcome = "no-room";
    }
    route.setAttribute(Names.POLICY, policy);
    route.setAttribute(Names.OUTCOME, outcome);
    route.setAttribute(Names.DECISION_MICROS, nanos / NANOS_PER_MICRO);
    route.end();
    metrics.decided(policy, outcome, nanos, context);
    trail.decided(nanos);
  }

  Span startRoute() {
    return tracing.startRoute(context);
  }

  Span startAttempt(WorkerView worker, int attempt, Metadata headers) {
    trail.attempt(worker.name());
    return tracing.startAttempt(context, spanName, worker, attempt, headers);
  }

  /** The prompt was prepared. */
  void tokenized(int tokens, long nanos) {
    span.setAttribute(Names.PROMPT_TOKENS, (long) tokens);
    metrics.tokenized(nanos, context);
    trail.prepared(nanos);
  }

  /** The request comes to those that may be refused or have to wait. */
  void arrives(Demand demand, int promptTokens) {
    Span started = tracing.startAdmission(context);
    started.setAttribute(Names.TENANT, demand.tenant());
    started.setAttribute(Names.PRIORITY, (long) demand.priority());
    started.setAttribute(Names.PROMPT_TOKENS, (long) promptTokens);
    admission = Optional.of(started);
    trail.arrives(demand.tenant(), promptTokens);
  }

  /** It waits for room. */
  void queued() {
    admission.ifPresent(started -> started.addEvent("queued"));
    trail.queued();
  }

  /** A worker gets the request for the first time. */
  void admitted(long waitNanos) {
    metrics.admitted(waitNanos, context);
    admission.ifPresent(started -> {
      started.setAttribute(Names.OUTCOME, "admitted");
      started.setAttribute(Names.WAIT, waitNanos / NANOS_PER_SECOND);
      started.end();
    });
    admission = Optional.empty();
  }

  /** The router itself says no; answers why, in one word. */
  String refused(Refusal refusal) {
    String reason =
        switch (refusal) {
          case Refusal.Unavailable r -> r.reason();
          case Refusal.Overloaded r -> r.reason();
          case Refusal.Unserviceable r -> r.reason();
          case Refusal.Invalid _ -> "INVALID_ARGUMENT";
          case Refusal.NotFound _ -> "NOT_FOUND";
          case Refusal.Unauthenticated _ -> "UNAUTHENTICATED";
          case Refusal.Forbidden _ -> "PERMISSION_DENIED";
          case Refusal.Unimplemented _ -> "UNIMPLEMENTED";
          case Refusal.DeadlineExceeded _ -> "DEADLINE_EXCEEDED";
          case Refusal.Cancelled _ -> "CANCELLED";
          case Refusal.Internal r -> r.reason().isEmpty() ? "INTERNAL" : r.reason();
        };
    metrics.refused(reason, context);
    trail.refused(reason);
    endAdmission(reason);
    return reason;
  }

  private void endAdmission(String outcome) {
    admission.ifPresent(started -> {
      started.setAttribute(Names.OUTCOME, outcome);
      started.end();
    });
    admission = Optional.empty();
  }

  /** A call to a worker is over. */
  void attempted(Span attempt, WorkerView worker, String outcome, Status status) {
    latestAttempt = attempt.getSpanContext();
    attempt.setAttribute(Names.OUTCOME, outcome);
    endSpan(attempt, status);
    metrics.attempted(worker.address().toString(), outcome, context);
    trail.attempted(outcome);
  }

  /** The worker is lost that had the stream, or was to go on with it. */
  void lost(String worker, String why) {
    if (resume.isPresent()) {
      resume.get().addLink(latestAttempt);
    } else {
      resume =
          Optional.of(
              tracing
                  .startResume(context, latestAttempt)
                  .setAttribute(Names.LOST_WORKER, worker)
                  .setAttribute(Names.REASON, why));
    }
  }

  /** The stream goes on at another worker. */
  void resumed(String from, String to, String why, long interruptedNanos, int tokens) {
    span.addEvent(
        "resume",
        Attributes.builder()
            .put(Names.LOST_WORKER, from)
            .put(Names.WORKER, to)
            .put(Names.REASON, why)
            .put(Names.INTERRUPTED, interruptedNanos / NANOS_PER_SECOND)
            .put(Names.DELIVERED_TOKENS, (long) tokens)
            .build());
    resume.ifPresent(span -> {
      span.setAttribute(Names.WORKER, to);
      span.setAttribute(Names.DELIVERED_TOKENS, (long) tokens);
      span.end();
    });
    resume = Optional.empty();
    metrics.resumed(why, context);
    trail.resumed(interruptedNanos);
  }

  /** The worker began the stream. */
  void started(Started started) {
    trail.started(started.getQueueNanos(), started.getPrefillNanos());
  }

  void firstToken(long nanos) {
    trail.firstToken(nanos);
    span.setAttribute(GenAi.TIME_TO_FIRST_TOKEN, nanos / NANOS_PER_SECOND);
    metrics.firstToken(operation, model, nanos, context);
  }

  /** The answer is complete. Its times add up to the whole, but for what messages take to pass. */
  void used(Finished finished) {
    if (operation.isEmpty()) {
      return; // nothing is generated
    }
    Usage usage = finished.getUsage();
    Timings timings = finished.getTimings();
    trail.completed(usage, timings);
    span.setAttribute(Names.ADMISSION_WAIT, seconds(timings.getAdmissionWaitNanos()));
    span.setAttribute(GenAi.TIME_IN_QUEUE, seconds(timings.getQueueNanos()));
    span.setAttribute(GenAi.TIME_IN_PREFILL, seconds(timings.getPrefillNanos()));
    span.setAttribute(GenAi.TIME_IN_DECODE, seconds(timings.getDecodeNanos()));
    span.setAttribute(Names.INTERRUPTED, seconds(timings.getInterruptedNanos()));
    span.setAttribute(Names.PREEMPTIONS, (long) timings.getPreemptions());
    span.setAttribute(Names.RESUMES, (long) timings.getResumes());
    span.setAttribute(GenAi.INPUT_TOKENS, (long) usage.getPromptTokens());
    span.setAttribute(GenAi.OUTPUT_TOKENS, (long) usage.getOutputTokens());
    span.setAttribute(GenAi.CACHED_TOKENS, (long) usage.getCachedPromptTokens());
  }

  /** A choice is complete. */
  void choiceFinished(FinishReason reason) {
    String told = reason.name().substring(REASON_PREFIX.length()).toLowerCase(Locale.ROOT);
    finishReasons.add(told);
    trail.finished(told);
    span.setAttribute(GenAi.FINISH_REASONS, finishReasons);
  }

  /** The call is over. */
  void answered(Status status, int attempts, long nanos) {
    endAdmission(status.getCode().name());
    resume.ifPresent(open -> endSpan(open, status)); // nobody went on
    span.setAttribute(Names.ATTEMPTS, (long) attempts);
    span.setAttribute(GenAi.RESPONSE_MODEL, model);
    span.setAttribute(GenAi.END_TO_END, nanos / NANOS_PER_SECOND);
    endSpan(span, status);
    trail.ended(status.getCode().name());
    metrics.answered(method, operation, model, status, nanos, context);
  }

  private static double seconds(long nanos) {
    return nanos / NANOS_PER_SECOND;
  }

  private static void endSpan(Span span, Status status) {
    if (!status.isOk()) {
      String description = status.getDescription();
      span.setStatus(StatusCode.ERROR, description == null ? "" : description);
      span.setAttribute(GenAi.ERROR_TYPE, status.getCode().name());
    }
    span.end();
  }
}
