package dev.sluice.app.simulate;

import static dev.sluice.app.cli.FlagChecks.atLeast;

import dev.sluice.worker.engine.ModelRunner.Geometry;
import picocli.CommandLine.Option;

/** Flags for what an engine without a model holds and computes at once. */
final class EngineSize {
  @Option(
      names = "--max-sequences",
      paramLabel = "N",
      description = "Requests in one step. Default: ${DEFAULT-VALUE}.")
  private int maxSequences = 256;

  @Option(
      names = "--max-batched-tokens",
      paramLabel = "N",
      description = "Tokens in one step. Default: ${DEFAULT-VALUE}.")
  private int maxBatchedTokens = 2048;

  @Option(
      names = "--kv-tokens",
      paramLabel = "N",
      description = "Tokens that a KV cache holds. Default: ${DEFAULT-VALUE}.")
  private int kvTokens;

  @Option(
      names = "--block-size",
      paramLabel = "N",
      description = "Tokens of a block of it. Default: ${DEFAULT-VALUE}.")
  private int blockSize = 16;

  @Option(
      names = "--context-length",
      paramLabel = "N",
      description = "Most tokens of a request. Default: ${DEFAULT-VALUE}.")
  private int contextLength = 8192;

  @Option(
      names = "--max-waiting-requests",
      paramLabel = "N",
      description = "Requests that may wait; further ones are refused. Default: ${DEFAULT-VALUE}.")
  private int maxWaitingRequests = 1024;

  /**
   * @param kvTokens default of the flag
   */
  EngineSize(int kvTokens) {
    this.kvTokens = kvTokens;
  }

  int contextLength() {
    return contextLength;
  }

  int maxWaitingRequests() {
    return maxWaitingRequests;
  }

  Geometry geometry(int vocabularySize) {
    return new Geometry(
        vocabularySize,
        contextLength,
        blockSize,
        Math.max(1, kvTokens / blockSize),
        maxBatchedTokens,
        maxSequences);
  }

  /**
   * Refuses sizes that cannot work together.
   *
   * @param leastContext tokens that a request must be allowed to have
   * @throws dev.sluice.app.cli.UsageException with the flag, its value and what was expected
   */
  void check(long leastContext) {
    atLeast("--max-sequences", maxSequences, 1);
    atLeast("--max-batched-tokens", maxBatchedTokens, maxSequences);
    atLeast("--block-size", blockSize, 1);
    atLeast("--context-length", contextLength, leastContext);
    atLeast("--kv-tokens", kvTokens, contextLength);
    atLeast("--max-waiting-requests", maxWaitingRequests, 1);
  }
}
