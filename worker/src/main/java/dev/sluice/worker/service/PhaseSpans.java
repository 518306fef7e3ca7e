package dev.sluice.worker.service;

import dev.sluice.worker.engine.GenerationSummary;
import dev.sluice.worker.engine.Milestone;
import dev.sluice.worker.engine.RequestTimings;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import java.time.Instant;
import java.util.concurrent.TimeUnit;

/**
 * The spans of a request's phases, written when it has ended. They follow each other without gap or
 * overlap; a phase that did not end lasts until the request's end, those after it are not written.
 *
 * <pre>
 *   queue ─▶ prefill ──────────────▶ decode
 *            "prefill chunk" each    "first token", "preempted", "resumed", chunks computed again
 * </pre>
 *
 * <p>Threading: one thread.
 */
final class PhaseSpans {
  private static final AttributeKey<Long> CHUNKS = AttributeKey.longKey("sluice.prefill.chunks");
  private static final AttributeKey<Long> CACHED =
      AttributeKey.longKey("sluice.prefill.cached_tokens");
  private static final AttributeKey<Long> TOKENS = AttributeKey.longKey("sluice.prefill.tokens");

  private final Tracer tracer;
  private final Context parent;
  private final GenerationSummary summary;

  /** What to add to the engine's clock, which is monotonic, to get a span's, the wall clock. */
  private final long offsetNanos;

  PhaseSpans(Tracer tracer, Context parent, GenerationSummary summary) {
    this.tracer = tracer;
    this.parent = parent;
    this.summary = summary;
    Instant wall = Instant.now();
    offsetNanos =
        TimeUnit.SECONDS.toNanos(wall.getEpochSecond()) + wall.getNano() - System.nanoTime();
  }

  void write() {
    RequestTimings t = summary.timings();
    long scheduled = t.firstScheduledNanos().orElse(t.endNanos());
    end(start("queue", t.arrivalNanos()), scheduled);
    if (t.firstScheduledNanos().isEmpty()) {
      return;
    }
    long prefilled = t.prefillDoneNanos().orElse(t.endNanos());
    Span prefill =
        start("prefill", scheduled)
            .setAttribute(CHUNKS, (long) summary.prefillChunks())
            .setAttribute(CACHED, (long) summary.cachedPromptTokens());
    summary.milestones().stream()
        .filter(milestone -> milestone.nanos() - prefilled <= 0)
        .forEach(milestone -> add(prefill, milestone));
    end(prefill, prefilled);
    if (t.prefillDoneNanos().isEmpty()) {
      return;
    }
    Span decode = start("decode", prefilled);
    t.firstTokenNanos()
        .ifPresent(
            first -> decode.addEvent("first token", offsetNanos + first, TimeUnit.NANOSECONDS));
    summary.milestones().stream()
        .filter(milestone -> milestone.nanos() - prefilled > 0)
        .forEach(milestone -> add(decode, milestone));
    end(decode, t.endNanos());
  }

  private Span start(String name, long nanos) {
    return tracer
        .spanBuilder(name)
        .setParent(parent)
        .setStartTimestamp(offsetNanos + nanos, TimeUnit.NANOSECONDS)
        .startSpan();
  }

  private void end(Span span, long nanos) {
    span.end(offsetNanos + nanos, TimeUnit.NANOSECONDS);
  }

  private void add(Span span, Milestone milestone) {
    long at = offsetNanos + milestone.nanos();
    switch (milestone.kind()) {
      case PREFILL_CHUNK ->
          span.addEvent(
              "prefill chunk",
              Attributes.of(TOKENS, (long) milestone.tokens()),
              at,
              TimeUnit.NANOSECONDS);
      case PREEMPTED -> span.addEvent("preempted", at, TimeUnit.NANOSECONDS);
      case RESUMED -> span.addEvent("resumed", at, TimeUnit.NANOSECONDS);
    }
  }
}
