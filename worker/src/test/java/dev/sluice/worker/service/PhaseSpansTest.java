package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.worker.engine.GenerationSummary;
import dev.sluice.worker.engine.Milestone;
import dev.sluice.worker.engine.Milestone.Kind;
import dev.sluice.worker.engine.RequestTimings;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** What is written of a request's phases, and where what happened in between. */
class PhaseSpansTest {
  /** Engine clocks may begin anywhere. */
  private static final long START = -5_000;

  @Test
  void whatHappenedIsAnEventOfThePhaseThatItFellInto() {
    List<SpanData> spans =
        written(
            OptionalLong.of(START + 100),
            OptionalLong.of(START + 500),
            OptionalLong.of(START + 510),
            List.of(
                new Milestone(Kind.PREFILL_CHUNK, START + 200, 64),
                new Milestone(Kind.PREEMPTED, START + 300, 0),
                new Milestone(Kind.RESUMED, START + 350, 0),
                new Milestone(Kind.PREFILL_CHUNK, START + 500, 60),
                new Milestone(Kind.PREEMPTED, START + 600, 0),
                new Milestone(Kind.RESUMED, START + 700, 0)));
    assertThat(spans)
        .extracting(span -> span.getName() + " " + nanos(span) + " " + events(span))
        .containsExactly(
            "queue 100 []",
            "prefill 400 [prefill chunk 100, preempted 200, resumed 250, prefill chunk 400]",
            "decode 500 [first token 10, preempted 100, resumed 200]");
    assertThat(spans.get(1).getEvents().getFirst().getAttributes().asMap())
        .containsExactly(Map.entry(AttributeKey.longKey("sluice.prefill.tokens"), 64L));
    assertThat(spans.get(1).getAttributes().get(AttributeKey.longKey("sluice.prefill.chunks")))
        .isEqualTo(2);
    assertThat(spans.get(2).getStartEpochNanos()).isEqualTo(spans.get(1).getEndEpochNanos());
  }

  @Test
  void aPhaseThatDidNotEndIsTheLast() {
    List<SpanData> spans =
        written(
            OptionalLong.of(START + 100),
            OptionalLong.empty(),
            OptionalLong.empty(),
            List.of(new Milestone(Kind.PREFILL_CHUNK, START + 200, 64)));
    assertThat(spans)
        .extracting(span -> span.getName() + " " + nanos(span) + " " + events(span))
        .containsExactly("queue 100 []", "prefill 900 [prefill chunk 100]");
    assertThat(written(OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty(), List.of()))
        .extracting(span -> span.getName() + " " + nanos(span))
        .containsExactly("queue 1000");
  }

  private static long nanos(SpanData span) {
    return span.getEndEpochNanos() - span.getStartEpochNanos();
  }

  /** Their names and times since the span's start. */
  private static List<String> events(SpanData span) {
    return span.getEvents().stream()
        .map(event -> event.getName() + " " + (event.getEpochNanos() - span.getStartEpochNanos()))
        .toList();
  }

  /** Of a request of 1,000 ns. */
  private static List<SpanData> written(
      OptionalLong scheduled, OptionalLong prefilled, OptionalLong first, List<Milestone> marks) {
    KeptSpans kept = new KeptSpans(0);
    try (SdkTracerProvider traces =
        SdkTracerProvider.builder().addSpanProcessor(SimpleSpanProcessor.create(kept)).build()) {
      RequestTimings timings =
          new RequestTimings(START, scheduled, prefilled, first, first, START + 1_000, 0, 0);
      new PhaseSpans(
              traces.get("test"),
              Context.root(),
              new GenerationSummary("r", 124, 0, 9, 2, 2, marks, timings))
          .write();
    }
    return kept.all();
  }
}
