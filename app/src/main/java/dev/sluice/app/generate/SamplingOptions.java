package dev.sluice.app.generate;

import dev.sluice.v1.Sampling;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Flags of {@link Sampling}. Ranges are checked by the server, which names every violation. */
final class SamplingOptions {
  @Option(names = "--temperature", paramLabel = "T", description = "0 (greedy) to 2. Default: 1.")
  private @Nullable Float temperature;

  @Option(names = "--top-k", paramLabel = "K", description = "Keep the K likeliest; 0: all.")
  private @Nullable Integer topK;

  @Option(names = "--top-p", paramLabel = "P", description = "Keep the likeliest of mass P.")
  private @Nullable Float topP;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      description = "Drop tokens below P times the likeliest.")
  private @Nullable Float minP;

  @Option(names = "--typical-p", paramLabel = "P", description = "Keep typical tokens of mass P.")
  private @Nullable Float typicalP;

  @Option(names = "--repetition-penalty", paramLabel = "X", description = "Above 0 to 2; 1: off.")
  private @Nullable Float repetitionPenalty;

  @Option(names = "--presence-penalty", paramLabel = "X", description = "-2 to 2; 0: off.")
  private @Nullable Float presencePenalty;

  @Option(names = "--frequency-penalty", paramLabel = "X", description = "-2 to 2; 0: off.")
  private @Nullable Float frequencyPenalty;

  @Option(
      names = "--logit-bias",
      paramLabel = "ID=BIAS",
      description = "Add BIAS to a token's logit. Repeatable.")
  private Map<Integer, Float> logitBias = new LinkedHashMap<>();

  @Option(
      names = "--allowed-token-id",
      split = ",",
      paramLabel = "ID",
      description = "Choose among these tokens only.")
  private List<Integer> allowed = List.of();

  @Option(
      names = "--banned-token-id",
      split = ",",
      paramLabel = "ID",
      description = "Never choose these tokens.")
  private List<Integer> banned = List.of();

  @Option(names = "--seed", paramLabel = "N", description = "Same seed, same tokens.")
  private @Nullable Long seed;

  Sampling toProto() {
    Sampling.Builder sampling = Sampling.newBuilder();
    Optional.ofNullable(temperature).ifPresent(sampling::setTemperature);
    Optional.ofNullable(topK).ifPresent(sampling::setTopK);
    Optional.ofNullable(topP).ifPresent(sampling::setTopP);
    Optional.ofNullable(minP).ifPresent(sampling::setMinP);
    Optional.ofNullable(typicalP).ifPresent(sampling::setTypicalP);
    Optional.ofNullable(repetitionPenalty).ifPresent(sampling::setRepetitionPenalty);
    Optional.ofNullable(presencePenalty).ifPresent(sampling::setPresencePenalty);
    Optional.ofNullable(frequencyPenalty).ifPresent(sampling::setFrequencyPenalty);
    Optional.ofNullable(seed).ifPresent(sampling::setSeed);
    return sampling
        .putAllLogitBias(logitBias)
        .addAllAllowedTokenIds(allowed)
        .addAllBannedTokenIds(banned)
        .build();
  }
}
