package dev.sluice.app.generate;

import dev.sluice.v1.Stopping;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Flags of {@link Stopping}. */
final class StoppingOptions {
  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "Most output tokens. Default: what fits the context.")
  private @Nullable Integer maxTokens;

  @Option(names = "--min-tokens", paramLabel = "N", description = "Least output tokens.")
  private @Nullable Integer minTokens;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "End where this text appears. Repeatable.")
  private List<String> stop = List.of();

  @Option(
      names = "--stop-token-id",
      split = ",",
      paramLabel = "ID",
      description = "End at this token. Repeatable.")
  private List<Integer> stopTokenIds = List.of();

  @Option(names = "--include-stop", description = "Print the text that stopped it, too.")
  private boolean includeStop;

  @Option(names = "--ignore-eos", description = "Go on past the end-of-sequence token.")
  private boolean ignoreEos;

  Stopping toProto() {
    Stopping.Builder stopping = Stopping.newBuilder();
    Optional.ofNullable(maxTokens).ifPresent(stopping::setMaxTokens);
    Optional.ofNullable(minTokens).ifPresent(stopping::setMinTokens);
    return stopping
        .addAllStop(stop)
        .addAllStopTokenIds(stopTokenIds)
        .setIncludeStop(includeStop)
        .setIgnoreEos(ignoreEos)
        .build();
  }
}
