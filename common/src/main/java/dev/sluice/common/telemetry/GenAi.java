package dev.sluice.common.telemetry;

import io.opentelemetry.api.common.AttributeKey;
import java.util.List;

/** Attribute names of OpenTelemetry's GenAI conventions, and the ones vLLM made common. */
public final class GenAi {
  public static final AttributeKey<String> OPERATION =
      AttributeKey.stringKey("gen_ai.operation.name");
  public static final AttributeKey<String> PROVIDER =
      AttributeKey.stringKey("gen_ai.provider.name");
  public static final AttributeKey<String> REQUEST_MODEL =
      AttributeKey.stringKey("gen_ai.request.model");
  public static final AttributeKey<Long> REQUEST_MAX_TOKENS =
      AttributeKey.longKey("gen_ai.request.max_tokens");
  public static final AttributeKey<Double> REQUEST_TEMPERATURE =
      AttributeKey.doubleKey("gen_ai.request.temperature");
  public static final AttributeKey<Double> REQUEST_TOP_P =
      AttributeKey.doubleKey("gen_ai.request.top_p");
  public static final AttributeKey<Long> REQUEST_TOP_K =
      AttributeKey.longKey("gen_ai.request.top_k");
  public static final AttributeKey<Long> REQUEST_SEED = AttributeKey.longKey("gen_ai.request.seed");
  public static final AttributeKey<Long> REQUEST_CHOICES =
      AttributeKey.longKey("gen_ai.request.choice.count");
  public static final AttributeKey<String> RESPONSE_ID =
      AttributeKey.stringKey("gen_ai.response.id");
  public static final AttributeKey<String> RESPONSE_MODEL =
      AttributeKey.stringKey("gen_ai.response.model");
  public static final AttributeKey<List<String>> FINISH_REASONS =
      AttributeKey.stringArrayKey("gen_ai.response.finish_reasons");
  public static final AttributeKey<Long> INPUT_TOKENS =
      AttributeKey.longKey("gen_ai.usage.input_tokens");
  public static final AttributeKey<Long> OUTPUT_TOKENS =
      AttributeKey.longKey("gen_ai.usage.output_tokens");
  public static final AttributeKey<Long> CACHED_TOKENS =
      AttributeKey.longKey("gen_ai.usage.cache_read.input_tokens");
  public static final AttributeKey<String> ERROR_TYPE = AttributeKey.stringKey("error.type");

  /** Seconds; in no convention, but what readers of vLLM's traces look for. */
  public static final AttributeKey<Double> TIME_IN_QUEUE =
      AttributeKey.doubleKey("gen_ai.latency.time_in_queue");

  /** Seconds. */
  public static final AttributeKey<Double> TIME_TO_FIRST_TOKEN =
      AttributeKey.doubleKey("gen_ai.latency.time_to_first_token");

  /** Seconds. */
  public static final AttributeKey<Double> TIME_IN_PREFILL =
      AttributeKey.doubleKey("gen_ai.latency.time_in_model_prefill");

  /** Seconds. */
  public static final AttributeKey<Double> TIME_IN_DECODE =
      AttributeKey.doubleKey("gen_ai.latency.time_in_model_decode");

  /** Seconds. */
  public static final AttributeKey<Double> END_TO_END =
      AttributeKey.doubleKey("gen_ai.latency.e2e");

  /** The value of {@link #PROVIDER}. */
  public static final String SLUICE = "sluice";

  private GenAi() {}
}
