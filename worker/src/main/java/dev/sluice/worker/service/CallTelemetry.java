package dev.sluice.worker.service;

import dev.sluice.common.telemetry.GenAi;
import dev.sluice.v1.FinishReason;
import dev.sluice.worker.engine.GenerationSummary;
import dev.sluice.worker.engine.RequestTimings;
import io.grpc.Status;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import java.util.List;
import java.util.Locale;

/**
 * Traces and counts the calls of one worker. The spans of a request — queue, prefill, decode — are
 * written when it ends, from the engine's marks: the token path does nothing for them.
 *
 * <p>Threading: immutable.
 */
final class CallTelemetry {
  private static final AttributeKey<String> TENANT = AttributeKey.stringKey("sluice.tenant");
  private static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("sluice.attempt");
  private static final AttributeKey<Long> PREEMPTIONS = AttributeKey.longKey("sluice.preemptions");
  private static final AttributeKey<Long> RESUMED_TOKENS =
      AttributeKey.longKey("sluice.resumed_tokens");

  private final Tracer tracer;
  private final WorkerMetrics metrics;
  private final String model;

  CallTelemetry(Tracer tracer, WorkerMetrics metrics, String model) {
    this.tracer = tracer;
    this.metrics = metrics;
    this.model = model;
  }

  /** Begins to trace the call that runs on this thread. */
  CallRecorder begin(GenerationPlan plan, int promptTokens) {
    Context context = Context.current();
    Span span = Span.fromContext(context);
    span.updateName("generate " + model);
    span.setAttribute(
        GenAi.OPERATION, plan.prompt() instanceof PromptSource.Chat ? "chat" : "text_completion");
    span.setAttribute(GenAi.PROVIDER, GenAi.SLUICE);
    span.setAttribute(GenAi.REQUEST_MODEL, model);
    span.setAttribute(GenAi.RESPONSE_MODEL, model);
    span.setAttribute(GenAi.RESPONSE_ID, plan.requestId());
    span.setAttribute(GenAi.REQUEST_TEMPERATURE, (double) plan.sampling().temperature());
    span.setAttribute(TENANT, plan.tenant());
    span.setAttribute(ATTEMPT, (long) plan.attempt());
    span.setAttribute(GenAi.INPUT_TOKENS, (long) promptTokens);
    plan.progress()
        .ifPresent(progress ->
            span.setAttribute(
                RESUMED_TOKENS,
                progress.choices().stream().mapToLong(choice -> choice.tokens().size()).sum()));
    return new Recorder(context, span, plan.tenant());
  }

  private final class Recorder implements CallRecorder {
    private final Context context;
    private final Span span;
    private final String tenant;

    Recorder(Context context, Span span, String tenant) {
      this.context = context;
      this.span = span;
      this.tenant = tenant;
    }

    @Override
    public void completed(List<FinishReason> reasons, GenerationSummary summary, int outputTokens) {
      span.setAttribute(GenAi.FINISH_REASONS, reasons.stream().map(CallTelemetry::name).toList());
      trace(summary, outputTokens);
      metrics.completed(tenant, reasons, summary, context);
    }

    @Override
    public void failed(Status status, GenerationSummary summary, int outputTokens) {
      span.setStatus(StatusCode.ERROR, status.getCode().name());
      span.setAttribute(GenAi.ERROR_TYPE, status.getCode().name());
      trace(summary, outputTokens);
      metrics.failed(tenant, summary, status.getCode(), context);
    }

    private void trace(GenerationSummary summary, int outputTokens) {
      RequestTimings t = summary.timings();
      span.setAttribute(GenAi.OUTPUT_TOKENS, (long) outputTokens);
      span.setAttribute(PREEMPTIONS, (long) summary.preemptions());
      span.setAttribute(GenAi.CACHED_TOKENS, (long) summary.cachedPromptTokens());
      span.setAttribute(GenAi.TIME_IN_QUEUE, seconds(t.queueNanos()));
      span.setAttribute(GenAi.TIME_IN_PREFILL, seconds(t.prefillNanos()));
      span.setAttribute(GenAi.TIME_IN_DECODE, seconds(t.decodeNanos()));
      span.setAttribute(GenAi.TIME_TO_FIRST_TOKEN, seconds(t.ttftNanos()));
      span.setAttribute(GenAi.END_TO_END, seconds(t.e2eNanos()));
      if (span.getSpanContext().isSampled()) {
        new PhaseSpans(tracer, context, summary).write();
      }
    }
  }

  private static String name(FinishReason reason) {
    return reason.name().substring("FINISH_REASON_".length()).toLowerCase(Locale.ROOT);
  }

  private static double seconds(long nanos) {
    return nanos / 1e9;
  }
}
