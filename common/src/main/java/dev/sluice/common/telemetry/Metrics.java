package dev.sluice.common.telemetry;

import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.metrics.ObservableDoubleCounter;
import io.opentelemetry.api.metrics.ObservableDoubleGauge;
import io.opentelemetry.api.metrics.ObservableDoubleMeasurement;
import io.opentelemetry.api.metrics.ObservableLongGauge;
import io.opentelemetry.api.metrics.ObservableLongMeasurement;
import java.util.List;
import java.util.function.Consumer;

/**
 * Every metric of router and worker: name, unit, buckets. Prometheus sees dots as underscores, adds
 * {@code _seconds} for unit {@code s} and {@code _total} to counters.
 *
 * <p>What each time means is defined once for stream timings, metrics and spans: queue time is
 * arrival at the engine to first scheduled; time to first token is arrival to the first token
 * handed to the stream; inter-token latency is each gap between tokens of one stream; time per
 * output token is (end - first token) / (output tokens - 1).
 */
public final class Metrics {
  private static final List<Double> LATENCY_BUCKETS =
      List.of(
          0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
          30.0, 60.0);

  private static final List<Double> LENGTH_BUCKETS =
      List.of(
          1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0,
          20000.0, 50000.0, 100000.0);

  /** From arrival to the end. Buckets of the GenAI conventions. */
  public static final Histogram REQUEST_DURATION =
      new Histogram(
          "gen_ai.server.request.duration",
          "s",
          "Arrival of a request to its end",
          List.of(
              0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96,
              81.92));

  /** Buckets of the GenAI conventions. */
  public static final Histogram TIME_TO_FIRST_TOKEN =
      new Histogram(
          "gen_ai.server.time_to_first_token",
          "s",
          "Arrival of a request to its first token",
          List.of(
              0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5,
              10.0));

  /** Successful requests of two tokens or more. Buckets of the GenAI conventions. */
  public static final Histogram TIME_PER_OUTPUT_TOKEN =
      new Histogram(
          "gen_ai.server.time_per_output_token",
          "s",
          "(End - first token) / (output tokens - 1)",
          List.of(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5));

  public static final Histogram QUEUE_TIME =
      new Histogram(
          "sluice_queue_time", "s", "Arrival at the engine to first scheduled", LATENCY_BUCKETS);

  public static final Histogram PREFILL_TIME =
      new Histogram(
          "sluice_prefill_time",
          "s",
          "First scheduled to the last prompt token computed",
          LATENCY_BUCKETS);

  public static final Histogram DECODE_TIME =
      new Histogram("sluice_decode_time", "s", "First token to the last token", LATENCY_BUCKETS);

  public static final Histogram INTER_TOKEN_LATENCY =
      new Histogram(
          "sluice_inter_token_latency",
          "s",
          "Each gap between tokens of one stream",
          List.of(
              0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15,
              0.2, 0.3, 0.5, 0.75, 1.0, 2.5, 5.0));

  public static final Histogram STEP_TIME =
      new Histogram("sluice_step_time", "s", "One step of the engine", LATENCY_BUCKETS);

  public static final Histogram BATCH_TOKENS =
      new Histogram(
          "sluice_batch_tokens",
          "{token}",
          "Tokens computed in one step",
          List.of(1.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0));

  public static final Histogram REQUEST_INPUT_TOKENS =
      new Histogram(
          "sluice_request_input_tokens", "{token}", "Prompt tokens of a request", LENGTH_BUCKETS);
  public static final Histogram REQUEST_OUTPUT_TOKENS =
      new Histogram(
          "sluice_request_output_tokens", "{token}", "Tokens that a request got", LENGTH_BUCKETS);

  public static final Histogram ADMISSION_WAIT =
      new Histogram(
          "sluice_admission_wait", "s", "Arrival at the router to admitted", LATENCY_BUCKETS);

  public static final Histogram ROUTING_TIME =
      new Histogram(
          "sluice_routing_time",
          "s",
          "Choosing a worker",
          List.of(0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.001, 0.01));

  public static final Gauge RUNNING =
      new Gauge("sluice_requests_running", "{request}", "Sequences in the current batch");
  public static final Gauge WAITING =
      new Gauge("sluice_requests_waiting", "{request}", "Requests that wait to be scheduled");
  public static final Gauge IN_FLIGHT =
      new Gauge("sluice_requests_in_flight", "{request}", "Requests forwarded and not ended");

  /** 0 to 1; cached blocks that nobody owns count as free. */
  public static final Gauge KV_USE =
      new Gauge("sluice_kv_use", "", "Part of the KV blocks that running requests own");

  /** By attribute {@code state}: owned, cached, free. */
  public static final Gauge KV_BLOCKS =
      new Gauge("sluice_kv_blocks", "{block}", "KV blocks by state");

  /** Always 1; attributes {@code block_size} and {@code num_gpu_blocks}. */
  public static final Gauge CACHE_CONFIG =
      new Gauge("sluice_cache_config", "", "Layout of the KV cache");

  /** By attribute {@code phase}: schedule, model, sampling, publish. */
  public static final Total PHASE_TIME =
      new Total("sluice_step_phase_time", "s", "Time of the engine's thread, by phase of the step");

  public static final Counter PROMPT_TOKENS =
      new Counter("sluice_prompt_tokens", "{token}", "Prompt tokens of admitted requests");
  public static final Counter PREFIX_HIT_TOKENS =
      new Counter("sluice_prefix_hit_tokens", "{token}", "Prompt tokens found in the cache");
  public static final Counter OUTPUT_TOKENS =
      new Counter("sluice_output_tokens", "{token}", "Tokens generated");
  public static final Counter PREEMPTIONS =
      new Counter("sluice_preemptions", "{preemption}", "Sequences put back to free KV blocks");

  /** By attribute {@code finished_reason}, in vLLM's words: stop, length, abort. */
  public static final Counter FINISHED =
      new Counter("sluice_requests_finished", "{request}", "Requests that ended, by reason");

  public static final Counter CANCELLED =
      new Counter("sluice_requests_cancelled", "{request}", "Requests whose caller hung up");
  public static final Counter ABORTED =
      new Counter("sluice_requests_aborted", "{request}", "Requests that the worker gave up");

  /** Speculative decoding: how much was tried. */
  public static final Total DRAFT_TOKENS =
      new Total("sluice_draft_tokens", "{token}", "Tokens that speculative decoding proposed");

  /** Over {@link #DRAFT_TOKENS}: how often a proposal was right. */
  public static final Total ACCEPTED_DRAFT_TOKENS =
      new Total("sluice_accepted_draft_tokens", "{token}", "Proposed tokens that were right");

  /** By attributes {@code tenant} (the first thousand, then other) and {@code status}. */
  public static final Counter TENANT_REQUESTS =
      new Counter("sluice_tenant_requests", "{request}", "Requests that ended at a worker");

  /** By attributes {@code tenant} and {@code type}: input, output. */
  public static final Counter TENANT_TOKENS =
      new Counter("sluice_tenant_tokens", "{token}", "Tokens of requests that ended at a worker");

  /** By attribute {@code tenant}. */
  public static final Histogram TENANT_QUEUE_TIME =
      new Histogram(
          "sluice_tenant_queue_time",
          "s",
          "Arrival at the engine to first scheduled, or to the end",
          List.of(0.01, 0.1, 1.0, 10.0));

  /** By attribute {@code state}. */
  public static final Gauge WORKERS =
      new Gauge("sluice_workers", "{worker}", "Workers that a router knows, by state");

  /** By attributes {@code method} and {@code status}. */
  public static final Counter REQUESTS =
      new Counter("sluice_requests", "{request}", "Calls answered, by method and gRPC status");

  /** By attribute {@code reason}. */
  public static final Counter REFUSALS =
      new Counter("sluice_refusals", "{request}", "Requests refused, by reason");

  /** By attribute {@code reason}: unauthenticated, permission_denied. */
  public static final Counter IDENTITY_REFUSALS =
      new Counter("sluice_identity_refusals", "{call}", "Calls refused for who made them");

  /** By attribute {@code use}: server, or towards whom. Negative: expired. */
  public static final Gauge CERTIFICATE_VALIDITY =
      new Gauge(
          "sluice_certificate_validity", "s", "Time until this process's certificate expires");

  /** By attribute {@code policy}. */
  public static final Counter DECISIONS =
      new Counter("sluice_routing_decisions", "{decision}", "Workers chosen");

  public static final Gauge INDEX_BLOCKS =
      new Gauge("sluice_index_blocks", "{block}", "Different cached blocks that a router knows");
  public static final Total INDEX_DROPPED =
      new Total("sluice_index_dropped", "{block}", "Cached blocks not taken: the index was full");
  public static final Histogram TOKENIZE_TIME =
      new Histogram(
          "sluice_tokenize_time",
          "s",
          "Rendering, tokenizing and hashing a prompt in the router",
          List.of(0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1));

  public static final Counter ATTEMPTS =
      new Counter("sluice_attempts", "{attempt}", "Times a request went to a worker");
  public static final Counter RESUMES =
      new Counter("sluice_resumes", "{resume}", "Streams continued on another worker");

  /** By attributes {@code tenant} and {@code outcome}: admitted, or why it was refused. */
  public static final Counter ROUTER_TENANT_REQUESTS =
      new Counter("sluice_router_tenant_requests", "{request}", "Requests by tenant and outcome");

  /** By attributes {@code tenant} and {@code type}: input, output. */
  public static final Counter ROUTER_TENANT_TOKENS =
      new Counter(
          "sluice_router_tenant_tokens", "{token}", "Tokens of admitted requests by tenant");

  /** By attribute {@code model}. */
  public static final Gauge QUEUED_REQUESTS =
      new Gauge("sluice_router_queued_requests", "{request}", "Requests that wait for a worker");

  /** By attribute {@code model}. */
  public static final Gauge QUEUED_TOKENS =
      new Gauge("sluice_router_queued_tokens", "{token}", "Prompt tokens of requests that wait");

  private Metrics() {}

  /** Recording with prepared attributes allocates nothing. */
  public record Histogram(String name, String unit, String description, List<Double> buckets) {
    public DoubleHistogram on(Meter meter) {
      return meter
          .histogramBuilder(name)
          .setUnit(unit)
          .setDescription(description)
          .setExplicitBucketBoundariesAdvice(buckets)
          .build();
    }
  }

  /** Only goes up. */
  public record Counter(String name, String unit, String description) {
    public LongCounter on(Meter meter) {
      return meter.counterBuilder(name).setUnit(unit).setDescription(description).build();
    }
  }

  /** A counter that is asked for when somebody reads; the callback runs on the reader's thread. */
  public record Total(String name, String unit, String description) {
    public ObservableDoubleCounter observe(
        Meter meter, Consumer<ObservableDoubleMeasurement> read) {
      return meter
          .counterBuilder(name)
          .ofDoubles()
          .setUnit(unit)
          .setDescription(description)
          .buildWithCallback(read);
    }
  }

  /** Asked for when somebody reads; the callback runs on the reader's thread. */
  public record Gauge(String name, String unit, String description) {
    public ObservableLongGauge observe(Meter meter, Consumer<ObservableLongMeasurement> read) {
      return meter
          .gaugeBuilder(name)
          .ofLongs()
          .setUnit(unit)
          .setDescription(description)
          .buildWithCallback(read);
    }

    public ObservableDoubleGauge observeDouble(
        Meter meter, Consumer<ObservableDoubleMeasurement> read) {
      return meter
          .gaugeBuilder(name)
          .setUnit(unit)
          .setDescription(description)
          .buildWithCallback(read);
    }
  }
}
