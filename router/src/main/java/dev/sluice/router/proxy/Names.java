package dev.sluice.router.proxy;

import io.opentelemetry.api.common.AttributeKey;

/** Names of attributes that are the router's own; those of the conventions are in GenAi. */
final class Names {
  static final AttributeKey<String> SERVER_ADDRESS = AttributeKey.stringKey("server.address");
  static final AttributeKey<Long> SERVER_PORT = AttributeKey.longKey("server.port");
  static final AttributeKey<String> STATUS = AttributeKey.stringKey("status");
  static final AttributeKey<String> METHOD = AttributeKey.stringKey("method");
  static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("outcome");
  static final AttributeKey<String> STATE = AttributeKey.stringKey("state");
  static final AttributeKey<String> REASON = AttributeKey.stringKey("reason");
  static final AttributeKey<String> WORKER = AttributeKey.stringKey("worker");
  static final AttributeKey<String> LOST_WORKER = AttributeKey.stringKey("sluice.lost_worker");
  static final AttributeKey<Double> INTERRUPTED = AttributeKey.doubleKey("sluice.interrupted");
  static final AttributeKey<Long> DELIVERED_TOKENS =
      AttributeKey.longKey("sluice.delivered_tokens");
  static final AttributeKey<String> POLICY = AttributeKey.stringKey("policy");
  static final AttributeKey<String> TENANT = AttributeKey.stringKey("sluice.tenant");
  static final AttributeKey<Long> PRIORITY = AttributeKey.longKey("sluice.priority");
  static final AttributeKey<Long> PROMPT_TOKENS = AttributeKey.longKey("sluice.prompt_tokens");
  static final AttributeKey<Double> ADMISSION_WAIT =
      AttributeKey.doubleKey("sluice.admission_wait");
  static final AttributeKey<Long> PREEMPTIONS = AttributeKey.longKey("sluice.preemptions");
  static final AttributeKey<Long> RESUMES = AttributeKey.longKey("sluice.resumes");
  static final AttributeKey<Long> OVERLAP_TOKENS = AttributeKey.longKey("sluice.overlap_tokens");
  static final AttributeKey<Double> WAIT = AttributeKey.doubleKey("sluice.wait");
  static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("sluice.attempt");
  static final AttributeKey<Long> ATTEMPTS = AttributeKey.longKey("sluice.attempts");
  static final AttributeKey<Long> CANDIDATES = AttributeKey.longKey("sluice.candidates");
  static final AttributeKey<Long> NEW_TOKENS = AttributeKey.longKey("sluice.new_tokens");
  static final AttributeKey<Double> DECISION_MICROS =
      AttributeKey.doubleKey("sluice.decision_micros");
  static final AttributeKey<String> CONVERSATION = AttributeKey.stringKey("gen_ai.conversation.id");

  private Names() {}
}
