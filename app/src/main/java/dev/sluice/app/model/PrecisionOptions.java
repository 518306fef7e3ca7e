package dev.sluice.app.model;

import dev.sluice.app.cli.UsageException;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import java.util.Arrays;
import picocli.CommandLine.Option;

/** How weights and cache are held. */
final class PrecisionOptions {
  @Option(
      names = "--quantization",
      paramLabel = "HOW",
      description =
          "How weights are held: none, int8, int8-block, int4-block. Default: ${DEFAULT-VALUE}.")
  private String quantization = "int8";

  @Option(
      names = "--kv-type",
      paramLabel = "TYPE",
      description = "How keys and values are held: float32, bf16, int8. Default: ${DEFAULT-VALUE}.")
  private String kvType = "bf16";

  Quantization quantization() {
    return Arrays.stream(Quantization.values())
        .filter(q -> q.label().equals(quantization))
        .findFirst()
        .orElseThrow(() ->
            new UsageException(
                "--quantization: %s (expected: one of %s)"
                    .formatted(quantization, Quantization.labels())));
  }

  KvType kvType() {
    return Arrays.stream(KvType.values())
        .filter(type -> type.label().equals(kvType))
        .findFirst()
        .orElseThrow(() ->
            new UsageException(
                "--kv-type: %s (expected: one of %s)".formatted(kvType, KvType.labels())));
  }
}
