package dev.sluice.worker.service;

import dev.sluice.common.telemetry.CappedLabel;
import dev.sluice.common.telemetry.GenAi;
import dev.sluice.common.telemetry.Metrics;
import dev.sluice.v1.FinishReason;
import dev.sluice.worker.engine.EngineObserver;
import dev.sluice.worker.engine.EngineSnapshot;
import dev.sluice.worker.engine.GenerationSummary;
import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.engine.RequestTimings;
import io.grpc.Status;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.metrics.ObservableDoubleMeasurement;
import io.opentelemetry.api.metrics.ObservableLongMeasurement;
import io.opentelemetry.context.Context;
import java.util.List;
import java.util.function.Supplier;

/**
 * The worker's metrics. What belongs to a request is recorded with its trace, of which a histogram
 * keeps an example in each bucket. Attributes are made beforehand: recording on the token path
 * allocates nothing.
 *
 * <p>Threading: thread-safe.
 */
public final class WorkerMetrics implements EngineObserver {
  private static final AttributeKey<String> STATE = AttributeKey.stringKey("state");
  private static final AttributeKey<String> PHASE = AttributeKey.stringKey("phase");
  private static final AttributeKey<String> TENANT = AttributeKey.stringKey("tenant");
  private static final AttributeKey<String> TYPE = AttributeKey.stringKey("type");
  private static final AttributeKey<String> STATUS = AttributeKey.stringKey("status");
  private static final AttributeKey<String> REASON = AttributeKey.stringKey("finished_reason");
  private static final AttributeKey<String> BLOCK_SIZE = AttributeKey.stringKey("block_size");
  private static final AttributeKey<String> BLOCKS = AttributeKey.stringKey("num_gpu_blocks");

  private final Meter meter;
  private final Attributes attributes;
  private final DoubleHistogram queueTime;
  private final DoubleHistogram timeToFirstToken;
  private final DoubleHistogram interTokenLatency;
  private final DoubleHistogram timePerOutputToken;
  private final DoubleHistogram requestDuration;
  private final DoubleHistogram prefillTime;
  private final DoubleHistogram decodeTime;
  private final DoubleHistogram inputTokensOfRequest;
  private final DoubleHistogram outputTokensOfRequest;
  private final DoubleHistogram stepTime;
  private final DoubleHistogram batchTokens;
  private final LongCounter promptTokens;
  private final LongCounter prefixHitTokens;
  private final LongCounter outputTokens;
  private final LongCounter preemptions;
  private final LongCounter finished;
  private final LongCounter cancelled;
  private final LongCounter aborted;
  private final LongCounter tenantRequests;
  private final LongCounter tenantTokens;
  private final DoubleHistogram tenantQueueTime;
  private final CappedLabel tenants = new CappedLabel();

  public WorkerMetrics(Meter meter, String model) {
    this.meter = meter;
    this.attributes =
        Attributes.of(
            GenAi.OPERATION, "generate", GenAi.PROVIDER, GenAi.SLUICE, GenAi.REQUEST_MODEL, model);
    this.queueTime = Metrics.QUEUE_TIME.on(meter);
    this.timeToFirstToken = Metrics.TIME_TO_FIRST_TOKEN.on(meter);
    this.interTokenLatency = Metrics.INTER_TOKEN_LATENCY.on(meter);
    this.timePerOutputToken = Metrics.TIME_PER_OUTPUT_TOKEN.on(meter);
    this.requestDuration = Metrics.REQUEST_DURATION.on(meter);
    this.prefillTime = Metrics.PREFILL_TIME.on(meter);
    this.decodeTime = Metrics.DECODE_TIME.on(meter);
    this.inputTokensOfRequest = Metrics.REQUEST_INPUT_TOKENS.on(meter);
    this.outputTokensOfRequest = Metrics.REQUEST_OUTPUT_TOKENS.on(meter);
    this.stepTime = Metrics.STEP_TIME.on(meter);
    this.batchTokens = Metrics.BATCH_TOKENS.on(meter);
    this.promptTokens = Metrics.PROMPT_TOKENS.on(meter);
    this.prefixHitTokens = Metrics.PREFIX_HIT_TOKENS.on(meter);
    this.outputTokens = Metrics.OUTPUT_TOKENS.on(meter);
    this.preemptions = Metrics.PREEMPTIONS.on(meter);
    this.finished = Metrics.FINISHED.on(meter);
    this.cancelled = Metrics.CANCELLED.on(meter);
    this.aborted = Metrics.ABORTED.on(meter);
    this.tenantRequests = Metrics.TENANT_REQUESTS.on(meter);
    this.tenantTokens = Metrics.TENANT_TOKENS.on(meter);
    this.tenantQueueTime = Metrics.TENANT_QUEUE_TIME.on(meter);
    // There from the start: a rate needs a value before the first event.
    for (LongCounter counter :
        List.of(promptTokens, prefixHitTokens, outputTokens, preemptions, cancelled, aborted)) {
      counter.add(0, attributes);
    }
    for (String reason : List.of("stop", "length", "abort")) {
      finished.add(0, finishedBy(reason));
    }
  }

  private Attributes finishedBy(String reason) {
    return attributes.toBuilder().put(REASON, reason).build();
  }

  /** Reports the engine's state whenever somebody reads the metrics. */
  public void observe(Supplier<EngineSnapshot> engine) {
    Metrics.RUNNING.observe(meter, m -> m.record(engine.get().runningRequests(), attributes));
    Metrics.WAITING.observe(meter, m -> m.record(engine.get().waitingRequests(), attributes));
    Metrics.KV_USE.observeDouble(
        meter,
        m -> {
          EngineSnapshot now = engine.get();
          if (now.totalBlocks() > 0) { // else the cache is not ours
            m.record((double) now.ownedBlocks() / now.totalBlocks(), attributes);
          }
        });
    Metrics.KV_BLOCKS.observe(meter, m -> recordBlocks(m, engine.get()));
    Metrics.PHASE_TIME.observe(meter, m -> recordPhases(m, engine.get().phases()));
    Metrics.DRAFT_TOKENS.observe(
        meter, m -> m.record((double) engine.get().draftTokens(), attributes));
    Metrics.ACCEPTED_DRAFT_TOKENS.observe(
        meter, m -> m.record((double) engine.get().acceptedDraftTokens(), attributes));
  }

  /**
   * Tells the layout of the KV cache, which does not change.
   *
   * @param blockSize tokens in a block
   */
  public void observeCache(int blockSize, int blocks) {
    Attributes layout =
        attributes.toBuilder()
            .put(BLOCK_SIZE, Integer.toString(blockSize))
            .put(BLOCKS, Integer.toString(blocks))
            .build();
    Metrics.CACHE_CONFIG.observe(meter, m -> m.record(1, layout));
  }

  private static void recordPhases(ObservableDoubleMeasurement m, EngineSnapshot.Phases phases) {
    m.record(seconds(phases.scheduleNanos()), Attributes.of(PHASE, "schedule"));
    m.record(seconds(phases.modelNanos()), Attributes.of(PHASE, "model"));
    m.record(seconds(phases.samplingNanos()), Attributes.of(PHASE, "sampling"));
    m.record(seconds(phases.publishNanos()), Attributes.of(PHASE, "publish"));
  }

  private static void recordBlocks(ObservableLongMeasurement m, EngineSnapshot now) {
    m.record(now.ownedBlocks(), Attributes.of(STATE, "owned"));
    m.record(now.cachedBlocks(), Attributes.of(STATE, "cached"));
    m.record(now.freeBlocks(), Attributes.of(STATE, "free"));
  }

  @Override
  public void onStep(long nanos, int sequences, int prefillTokens, int decodeTokens) {
    stepTime.record(seconds(nanos), attributes);
    batchTokens.record(prefillTokens + decodeTokens, attributes);
  }

  @Override
  public void onScheduled(GenerationTask task, long queueNanos) {
    queueTime.record(seconds(queueNanos), attributes, task.trace());
  }

  @Override
  public void onFirstToken(GenerationTask task, long ttftNanos) {
    timeToFirstToken.record(seconds(ttftNanos), attributes, task.trace());
  }

  @Override
  public void onNextToken(GenerationTask task, long itlNanos) {
    interTokenLatency.record(seconds(itlNanos), attributes, task.trace());
  }

  @Override
  public void onPreempted() {
    preemptions.add(1, attributes);
  }

  /**
   * A request is complete.
   *
   * @param reasons of its choices
   */
  void completed(
      String tenant, List<FinishReason> reasons, GenerationSummary summary, Context trace) {
    RequestTimings t = summary.timings();
    requestDuration.record(seconds(t.e2eNanos()), attributes, trace);
    prefillTime.record(seconds(t.prefillNanos()), attributes, trace);
    decodeTime.record(seconds(t.decodeNanos()), attributes, trace);
    if (t.gaps() > 0) {
      timePerOutputToken.record(seconds(t.tpotNanos()), attributes, trace);
    }
    inputTokensOfRequest.record(summary.promptTokens(), attributes, trace);
    outputTokensOfRequest.record(summary.outputTokens(), attributes, trace);
    boolean cut =
        reasons.contains(FinishReason.FINISH_REASON_LENGTH)
            || reasons.contains(FinishReason.FINISH_REASON_CONTEXT);
    count(tenant, summary, Status.Code.OK, cut ? "length" : "stop");
  }

  /** A request failed. */
  void failed(String tenant, GenerationSummary summary, Status.Code code, Context trace) {
    requestDuration.record(
        seconds(summary.timings().e2eNanos()),
        attributes.toBuilder().put(GenAi.ERROR_TYPE, code.name()).build(),
        trace);
    count(tenant, summary, code, "abort");
    (code == Status.Code.CANCELLED ? cancelled : aborted).add(1, attributes);
  }

  private void count(String tenant, GenerationSummary summary, Status.Code code, String reason) {
    String label = tenants.of(tenant);
    tenantRequests.add(1, Attributes.of(TENANT, label, STATUS, code.name()));
    tenantTokens.add(summary.promptTokens(), Attributes.of(TENANT, label, TYPE, "input"));
    tenantTokens.add(summary.outputTokens(), Attributes.of(TENANT, label, TYPE, "output"));
    tenantQueueTime.record(seconds(summary.timings().queueNanos()), Attributes.of(TENANT, label));
    promptTokens.add(summary.promptTokens(), attributes);
    prefixHitTokens.add(summary.cachedPromptTokens(), attributes);
    outputTokens.add(summary.outputTokens(), attributes);
    finished.add(1, finishedBy(reason));
  }

  private static double seconds(long nanos) {
    return nanos / 1e9;
  }
}
