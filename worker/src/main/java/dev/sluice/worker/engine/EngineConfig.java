package dev.sluice.worker.engine;

import java.time.Duration;

/**
 * Limits of the engine beside those of its {@link ModelRunner.Geometry}.
 *
 * @param maxWaitingRequests most requests that wait for their first step
 * @param maxWaitingTokens most prompt tokens of these together; a request that finds nobody waiting
 *     is taken whatever its size
 * @param prefillChunk most prompt tokens of one sequence in one step
 * @param retryAfter what a caller is told when the queue is full
 * @param checkIntegrity whether the books of the block pool are audited after every step; for tests
 * @param samplingThreads threads that choose tokens, the engine's among them
 * @param tokens tokens that can be chosen, from 0 on: what the tokenizer knows, where the model's
 *     vocabulary is padded; all of the model's if it has fewer
 * @param scheduling who is computed first, and how much at a time
 * @param draftTokens most tokens of a sequence that one step checks because they followed the same
 *     ones before; 0 turns speculative decoding off
 * @param prefixCache whether what was computed for a request is kept for others that begin alike
 */
public record EngineConfig(
    int maxWaitingRequests,
    long maxWaitingTokens,
    int prefillChunk,
    Duration retryAfter,
    boolean checkIntegrity,
    int samplingThreads,
    int tokens,
    SchedulingConfig scheduling,
    boolean prefixCache,
    int draftTokens) {
  public EngineConfig {
    if (maxWaitingRequests < 1) {
      throw new IllegalArgumentException(
          "maxWaitingRequests: " + maxWaitingRequests + " (expected: >= 1)");
    }
    if (maxWaitingTokens < 1) {
      throw new IllegalArgumentException(
          "maxWaitingTokens: " + maxWaitingTokens + " (expected: >= 1)");
    }
    if (prefillChunk < 1) {
      throw new IllegalArgumentException("prefillChunk: " + prefillChunk + " (expected: >= 1)");
    }
    if (!retryAfter.isPositive()) {
      throw new IllegalArgumentException("retryAfter: " + retryAfter + " (expected: above 0)");
    }
    if (samplingThreads < 1) {
      throw new IllegalArgumentException(
          "samplingThreads: " + samplingThreads + " (expected: >= 1)");
    }
    if (draftTokens < 0) {
      throw new IllegalArgumentException("draftTokens: " + draftTokens + " (expected: >= 0)");
    }
    if (tokens < 1) {
      throw new IllegalArgumentException("tokens: " + tokens + " (expected: >= 1)");
    }
  }

  /** Limits with the default scheduling, with the prefix cache, and without speculation. */
  public EngineConfig(
      int maxWaitingRequests,
      long maxWaitingTokens,
      int prefillChunk,
      Duration retryAfter,
      boolean checkIntegrity,
      int samplingThreads,
      int tokens) {
    this(
        maxWaitingRequests,
        maxWaitingTokens,
        prefillChunk,
        retryAfter,
        checkIntegrity,
        samplingThreads,
        tokens,
        SchedulingConfig.defaults(),
        true,
        0);
  }

  /** Limits with all tokens, chosen by two threads. */
  public EngineConfig(
      int maxWaitingRequests,
      long maxWaitingTokens,
      int prefillChunk,
      Duration retryAfter,
      boolean checkIntegrity) {
    this(
        maxWaitingRequests,
        maxWaitingTokens,
        prefillChunk,
        retryAfter,
        checkIntegrity,
        2,
        Integer.MAX_VALUE);
  }

  /** These limits, with or without the prefix cache. */
  public EngineConfig withPrefixCache(boolean newPrefixCache) {
    return new EngineConfig(
        maxWaitingRequests,
        maxWaitingTokens,
        prefillChunk,
        retryAfter,
        checkIntegrity,
        samplingThreads,
        tokens,
        scheduling,
        newPrefixCache,
        draftTokens);
  }

  /** These limits, with so many drafts. */
  public EngineConfig withDraftTokens(int newDraftTokens) {
    return new EngineConfig(
        maxWaitingRequests,
        maxWaitingTokens,
        prefillChunk,
        retryAfter,
        checkIntegrity,
        samplingThreads,
        tokens,
        scheduling,
        prefixCache,
        newDraftTokens);
  }

  /** 1,024 requests or 1,048,576 tokens wait; chunks as large as the step; no audit. */
  public static EngineConfig defaults() {
    return new EngineConfig(1024, 1 << 20, Integer.MAX_VALUE, Duration.ofSeconds(1), false);
  }

  /** This with another number of tokens that can be chosen. */
  public EngineConfig withTokens(int newTokens) {
    return new EngineConfig(
        maxWaitingRequests,
        maxWaitingTokens,
        prefillChunk,
        retryAfter,
        checkIntegrity,
        samplingThreads,
        newTokens,
        scheduling,
        prefixCache,
        draftTokens);
  }

  /** This with another scheduling. */
  public EngineConfig with(SchedulingConfig newScheduling) {
    return new EngineConfig(
        maxWaitingRequests,
        maxWaitingTokens,
        prefillChunk,
        retryAfter,
        checkIntegrity,
        samplingThreads,
        tokens,
        newScheduling,
        prefixCache,
        draftTokens);
  }
}
