package dev.sluice.app.bench;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What one user does: requests one after the other, each continuing the conversation so far.
 *
 * @param arrival after the start, if the workload says when; else the pace does
 * @param turns at least one
 */
record Job(Optional<Duration> arrival, List<Turn> turns) {
  /**
   * One request. Its prompt is the conversation so far with these tokens behind.
   *
   * @param tokens what the user adds
   * @param outputTokens length of the answer
   */
  record Turn(List<Integer> tokens, int outputTokens) {}

  static Job single(List<Integer> tokens, int outputTokens) {
    return new Job(Optional.empty(), List.of(new Turn(tokens, outputTokens)));
  }
}
