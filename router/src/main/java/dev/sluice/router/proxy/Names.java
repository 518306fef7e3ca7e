package dev.sluice.router.proxy;

import io.opentelemetry.api.common.AttributeKey;
import java.util.List;

/** Attribute names of spans and metrics: the GenAI and RPC conventions', and our own. */
final class Names {
  static final AttributeKey<String> OPERATION = AttributeKey.stringKey("gen_ai.operation.name");
  static final AttributeKey<String> PROVIDER = AttributeKey.stringKey("gen_ai.provider.name");
  static final AttributeKey<String> REQUEST_MODEL = AttributeKey.stringKey("gen_ai.request.model");
  static final AttributeKey<String> RESPONSE_MODEL =
      AttributeKey.stringKey("gen_ai.response.model");
  static final AttributeKey<String> RESPONSE_ID = AttributeKey.stringKey("gen_ai.response.id");
  static final AttributeKey<Long> INPUT_TOKENS = AttributeKey.longKey("gen_ai.usage.input_tokens");
  static final AttributeKey<Long> OUTPUT_TOKENS =
      AttributeKey.longKey("gen_ai.usage.output_tokens");
  static final AttributeKey<Long> CACHED_TOKENS =
      AttributeKey.longKey("gen_ai.usage.cache_read.input_tokens");
  static final AttributeKey<List<String>> FINISH_REASONS =
      AttributeKey.stringArrayKey("gen_ai.response.finish_reasons");
  static final AttributeKey<Double> LATENCY_TTFT =
      AttributeKey.doubleKey("gen_ai.latency.time_to_first_token");
  static final AttributeKey<Double> LATENCY_E2E = AttributeKey.doubleKey("gen_ai.latency.e2e");
  static final AttributeKey<String> ERROR_TYPE = AttributeKey.stringKey("error.type");
  static final AttributeKey<String> SERVER_ADDRESS = AttributeKey.stringKey("server.address");
  static final AttributeKey<Long> SERVER_PORT = AttributeKey.longKey("server.port");
  static final AttributeKey<String> STATUS = AttributeKey.stringKey("status");
  static final AttributeKey<String> METHOD = AttributeKey.stringKey("method");
  static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("outcome");
  static final AttributeKey<String> STATE = AttributeKey.stringKey("state");
  static final AttributeKey<String> WORKER = AttributeKey.stringKey("sluice.worker");
  static final AttributeKey<String> POLICY = AttributeKey.stringKey("sluice.policy");
  static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("sluice.attempt");
  static final AttributeKey<Long> ATTEMPTS = AttributeKey.longKey("sluice.attempts");
  static final AttributeKey<Long> CANDIDATES = AttributeKey.longKey("sluice.candidates");
  static final AttributeKey<Double> DECISION_MICROS =
      AttributeKey.doubleKey("sluice.decision_micros");

  /** Value of {@link #PROVIDER}. */
  static final String SLUICE = "sluice";

  private Names() {}
}
