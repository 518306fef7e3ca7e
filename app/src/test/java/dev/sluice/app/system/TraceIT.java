package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.client.GenerateOptions;
import dev.sluice.client.SluiceClient;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.Timings;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What an OTLP collector gets of requests through a router to two workers, all real processes. */
final class TraceIT {
  private static final String CLIENT_SPAN = "b7ad6b7169203331";
  private static final int OUTPUT_TOKENS = 96;
  private static final int CHUNK = 64;
  private static final int WARM_UP = 6;
  private static final int SAMPLES = 5;

  /** Of the whole; what is not told is parsing, and messages on their way. */
  private static final double TOLERANCE = 0.05;

  private static OtlpReceiver receiver;
  private static ChaosFleet fleet;
  private static SluiceClient client;

  @BeforeAll
  static void start() throws Exception {
    receiver = OtlpReceiver.start();
    fleet =
        new ChaosFleet(
            2,
            1,
            Duration.ofSeconds(20),
            receiver.environment(),
            List.of(
                "--quantization=int8",
                "--server.stop-grace=1s",
                "--engine.max-batched-tokens=" + CHUNK,
                "--engine.max-sequences=8"));
    client = SluiceClient.create(fleet.targets());
  }

  /** What a process does for the first time takes long, and is no part of any phase. */
  @BeforeEach
  void allReadyAndWarm() throws Exception {
    fleet.awaitReady();
    for (int i = 0; i < WARM_UP; i++) {
      ask(traceId(), -1);
    }
  }

  @AfterAll
  static void stop() throws Exception {
    if (client != null) {
      client.close();
    }
    if (fleet != null) {
      fleet.close();
    }
    if (receiver != null) {
      receiver.close();
    }
  }

  @Test
  void oneTraceSaysWhereTheTimeOfARequestWent() throws Exception {
    String traceId = traceId();
    Answer answer = ask(traceId, -1);
    List<ReceivedSpan> trace = awaitTrace(traceId);

    // as many spans as steps of the request's way, not as tokens
    assertThat(trace).hasSize(8);
    ReceivedSpan router = only(trace, "sluice-router", "generate smollm2-135m");
    assertThat(router.parentId()).isEqualTo(CLIENT_SPAN);
    assertThat(router.span().getKind()).isEqualTo(Span.SpanKind.SPAN_KIND_SERVER);
    ReceivedSpan admission = only(trace, "sluice-router", "admission");
    ReceivedSpan route = only(trace, "sluice-router", "route");
    ReceivedSpan attempt = only(trace, "sluice-router", "worker generate smollm2-135m");
    assertThat(List.of(admission, route, attempt))
        .allSatisfy(child -> assertThat(child.parentId()).isEqualTo(router.id()));
    assertThat(attempt.span().getKind()).isEqualTo(Span.SpanKind.SPAN_KIND_CLIENT);
    ReceivedSpan worker = only(trace, "sluice-worker", "generate smollm2-135m");
    assertThat(worker.parentId()).isEqualTo(attempt.id());
    assertThat(worker.span().getKind()).isEqualTo(Span.SpanKind.SPAN_KIND_SERVER);
    ReceivedSpan queue = only(trace, "sluice-worker", "queue");
    ReceivedSpan prefill = only(trace, "sluice-worker", "prefill");
    ReceivedSpan decode = only(trace, "sluice-worker", "decode");
    assertThat(List.of(queue, prefill, decode))
        .allSatisfy(child -> assertThat(child.parentId()).isEqualTo(worker.id()));

    for (ReceivedSpan side : List.of(router, worker)) {
      assertThat(side.text("gen_ai.provider.name")).isEqualTo("sluice");
      assertThat(side.text("gen_ai.request.model")).isEqualTo("smollm2-135m");
      assertThat(side.text("gen_ai.response.model")).isEqualTo("smollm2-135m");
      assertThat(side.text("gen_ai.response.id")).isEqualTo("trace-" + traceId);
      assertThat(side.text("sluice.tenant")).isEqualTo("acme");
      assertThat(side.real("gen_ai.request.temperature")).isZero();
      assertThat(side.number("gen_ai.usage.output_tokens")).isEqualTo(OUTPUT_TOKENS);
      assertThat(side.number("gen_ai.usage.input_tokens")).isEqualTo(answer.promptTokens());
      assertThat(side.texts("gen_ai.response.finish_reasons")).containsExactly("length");
    }
    assertThat(router.text("gen_ai.operation.name")).isEqualTo("chat");
    // tokens that are continued, once the router has the tokenizer and renders the template
    assertThat(worker.text("gen_ai.operation.name")).isIn("text_completion", "chat");
    assertThat(router.number("gen_ai.request.max_tokens")).isEqualTo(OUTPUT_TOKENS);
    assertThat(router.number("sluice.attempts")).isEqualTo(1);
    assertThat(router.eventNames()).isEmpty();
    assertThat(admission.text("outcome")).isEqualTo("admitted");
    assertThat(route.text("policy")).isEqualTo("cost");
    assertThat(route.number("sluice.candidates")).isEqualTo(2);
    assertThat(attempt.text("outcome")).isEqualTo("answered");

    // a chunk each, cached tokens left out; of the tokens only the first
    long computed = answer.promptTokens() - prefill.number("sluice.prefill.cached_tokens");
    assertThat(prefill.eventNames())
        .hasSize((int) Math.ceilDiv(computed, CHUNK))
        .hasSizeGreaterThan(1)
        .containsOnly("prefill chunk");
    assertThat(decode.eventNames()).containsExactly("first token");

    assertToldAsTraced(router, answer.timings());
    assertThat(queue.seconds() + prefill.seconds() + decode.seconds())
        .isCloseTo(worker.real("gen_ai.latency.e2e"), within(0.001));
    receiver.awaitMetric("sluice-router", "gen_ai.server.time_to_first_token");
    receiver.awaitMetric("sluice-worker", "sluice_queue_time");
    receiver.awaitMetric("sluice-worker", "jvm.memory.used");
  }

  /** The median of some: a pause of the machine on the way from process to process is no phase. */
  @Test
  void thePhasesMakeUpTheWholeTime() throws Exception {
    List<Untold> untold = new ArrayList<>();
    for (int i = 0; i < SAMPLES; i++) {
      String traceId = traceId();
      ask(traceId, -1);
      untold.add(Untold.of(awaitTrace(traceId)));
    }
    untold.sort(Comparator.comparingDouble(Untold::share));
    assertThat(untold.get(SAMPLES / 2).share())
        .as(untold.toString())
        .isCloseTo(0, within(TOLERANCE));
  }

  @Test
  void aRequestThatOutlivesItsWorkerIsStillOneTrace() throws Exception {
    String traceId = traceId();
    Answer answer = ask(traceId, OUTPUT_TOKENS / 3);
    List<ReceivedSpan> trace = awaitTrace(traceId);

    ReceivedSpan router = only(trace, "sluice-router", "generate smollm2-135m");
    assertThat(router.number("sluice.attempts")).isEqualTo(2);
    assertThat(router.number("sluice.resumes")).isEqualTo(1);
    assertThat(router.number("gen_ai.usage.output_tokens")).isEqualTo(OUTPUT_TOKENS);
    assertThat(router.span().getStatus().getCode())
        .isNotEqualTo(Status.StatusCode.STATUS_CODE_ERROR);
    assertThat(router.eventNames()).containsExactly("resume");
    List<ReceivedSpan> attempts =
        trace.stream().filter(s -> s.name().equals("worker generate smollm2-135m")).toList();
    assertThat(attempts).hasSize(2);
    ReceivedSpan lost = attempts.getFirst();
    ReceivedSpan second = attempts.getLast();
    assertThat(lost.text("outcome")).isEqualTo("lost");
    assertThat(lost.span().getStatus().getCode()).isEqualTo(Status.StatusCode.STATUS_CODE_ERROR);
    ReceivedSpan resume = only(trace, "sluice-router", "resume");
    assertThat(resume.parentId()).isEqualTo(router.id());
    assertThat(resume.linkedIds()).containsExactly(lost.id());
    assertThat(resume.text("reason")).isEqualTo("died");
    // what died with the first worker was never sent; the second one tells what it did
    ReceivedSpan worker = only(trace, "sluice-worker", "generate smollm2-135m");
    assertThat(worker.parentId()).isEqualTo(second.id());
    assertThat(worker.number("sluice.attempt")).isEqualTo(2);
    assertThat(worker.number("sluice.resumed_tokens"))
        .isEqualTo(resume.number("sluice.delivered_tokens"))
        .isGreaterThanOrEqualTo(OUTPUT_TOKENS / 3);
    for (String phase : List.of("queue", "prefill", "decode")) {
      assertThat(only(trace, "sluice-worker", phase).parentId()).isEqualTo(worker.id());
    }
    // 2 decisions, 2 attempts
    assertThat(trace).hasSize(11);

    assertThat(answer.timings().getResumes()).isEqualTo(1);
    assertThat(router.real("sluice.interrupted")).isPositive();
    assertToldAsTraced(router, answer.timings());
    Untold untold = Untold.of(trace);
    assertThat(untold.share()).as(untold.timeline()).isCloseTo(0, within(TOLERANCE));
  }

  private static String traceId() {
    return UUID.randomUUID().toString().replace("-", "");
  }

  private static boolean has(List<ReceivedSpan> spans, String name, int count) {
    return spans.stream().filter(span -> span.name().equals(name)).count() == count
        && spans.stream().anyMatch(span -> span.name().equals("decode"));
  }

  private static ReceivedSpan only(List<ReceivedSpan> trace, String service, String name) {
    List<ReceivedSpan> found =
        trace.stream().filter(s -> s.service().equals(service) && s.name().equals(name)).toList();
    assertThat(found).as(name + " of " + service + " in " + trace).hasSize(1);
    return found.getFirst();
  }

  private static List<ReceivedSpan> awaitTrace(String traceId) throws Exception {
    return receiver.awaitTrace(traceId, spans -> has(spans, "generate smollm2-135m", 2));
  }

  /** The phases that the client is told are those of the router's span. */
  private static void assertToldAsTraced(ReceivedSpan router, Timings told) {
    double seconds =
        (told.getAdmissionWaitNanos()
                + told.getQueueNanos()
                + told.getPrefillNanos()
                + told.getDecodeNanos()
                + told.getInterruptedNanos())
            / 1e9;
    assertThat(seconds).isCloseTo(phases(router), within(1e-6));
    assertThat(router.real("gen_ai.latency.e2e"))
        .isCloseTo(router.seconds(), within(TOLERANCE * router.seconds()));
  }

  /** Seconds of a request that are told as a phase. */
  private static double phases(ReceivedSpan router) {
    return router.real("sluice.admission_wait")
        + router.real("gen_ai.latency.time_in_queue")
        + router.real("gen_ai.latency.time_in_model_prefill")
        + router.real("gen_ai.latency.time_in_model_decode")
        + router.real("sluice.interrupted");
  }

  /**
   * What no phase tells of a request.
   *
   * @param share of the whole time
   * @param timeline a line for each span: when it began after the request came, and how long it
   *     took
   */
  private record Untold(double share, String timeline) {
    static Untold of(List<ReceivedSpan> trace) {
      ReceivedSpan router =
          trace.stream()
              .filter(span -> span.parentId().equals(CLIENT_SPAN))
              .findFirst()
              .orElseThrow();
      double whole = router.real("gen_ai.latency.e2e");
      long origin = router.span().getStartTimeUnixNano();
      String timeline =
          trace.stream()
              .sorted(Comparator.comparingLong(span -> span.span().getStartTimeUnixNano()))
              .map(span ->
                  "%-14s %-28s at %7.1f ms for %7.1f ms"
                      .formatted(
                          span.service(),
                          span.name(),
                          (span.span().getStartTimeUnixNano() - origin) / 1e6,
                          span.seconds() * 1e3))
              .collect(Collectors.joining("\n", "\n", "\n"));
      return new Untold((whole - phases(router)) / whole, timeline);
    }
  }

  /** What a client gets. */
  private record Answer(int promptTokens, Timings timings) {}

  /**
   * Asks for {@link #OUTPUT_TOKENS} tokens.
   *
   * @param killAfter tokens after which the worker is killed; -1: never
   */
  private static Answer ask(String traceId, int killAfter) throws Exception {
    GenerateRequest request =
        GenerateOptions.chat("Tell a long story of " + traceId + ". " + "It rains. ".repeat(40))
            .model("smollm2-135m")
            .temperature(0)
            .maxTokens(OUTPUT_TOKENS)
            .build()
            .toBuilder()
            .setRequestId("trace-" + traceId)
            .setTenant("acme")
            .build();
    request =
        request.toBuilder()
            .setStopping(request.getStopping().toBuilder().setIgnoreEos(true))
            .build();
    Metadata headers = new Metadata();
    headers.put(
        Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER),
        "00-" + traceId + "-" + CLIENT_SPAN + "-01");
    Iterator<GenerateResponse> stream =
        GenerationServiceGrpc.newBlockingStub(client.channel())
            .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
            .withDeadlineAfter(2, TimeUnit.MINUTES)
            .generate(request);
    GenerateResponse message = stream.next();
    int promptTokens = message.getStarted().getPromptTokens();
    int worker =
        Integer.parseInt(message.getStarted().getWorkerId().substring("worker-".length())) - 1;
    int tokens = 0;
    boolean killed = killAfter < 0;
    while (stream.hasNext()) {
      message = stream.next();
      tokens += message.getDelta().getTokenIdsCount();
      if (!killed && tokens >= killAfter) {
        killed = true;
        fleet.killWorker(worker);
      }
    }
    if (killAfter >= 0) {
      fleet.restartWorker(worker);
    }
    assertThat(tokens).isEqualTo(OUTPUT_TOKENS);
    return new Answer(promptTokens, message.getFinished().getTimings());
  }
}
