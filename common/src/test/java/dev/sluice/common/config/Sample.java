package dev.sluice.common.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A configuration with every kind of value. */
record Sample(
    String name,
    Path model,
    Scheduler scheduler,
    Net net,
    List<String> workers,
    Optional<String> alias,
    Optional<Duration> limit,
    Optional<Integer> threads) {
  enum Policy {
    FIRST_COME,
    FAIR
  }

  record Scheduler(int maxSequences, long maxBatchedTokens, double headroom, Policy policy) {
    Scheduler {
      if (maxSequences < 1 || maxSequences > 4096) {
        throw new IllegalArgumentException(
            "max-sequences: " + maxSequences + " (expected: 1 to 4096)");
      }
      if (maxBatchedTokens < maxSequences) {
        throw new IllegalArgumentException(
            "max-batched-tokens: "
                + maxBatchedTokens
                + " (expected: at least max-sequences, "
                + maxSequences
                + ")");
      }
    }
  }

  record Net(boolean reuse, Duration timeout, ByteSize buffer) {}

  static Sample defaults() {
    return new Sample(
        "worker",
        Path.of("/models/a"),
        new Scheduler(64, 512, 0.5, Policy.FAIR),
        new Net(true, Duration.ofSeconds(30), ByteSize.ofMiB(4)),
        List.of(),
        Optional.empty(),
        Optional.of(Duration.ofMillis(1500)),
        Optional.empty());
  }
}
