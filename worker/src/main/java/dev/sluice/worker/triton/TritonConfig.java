package dev.sluice.worker.triton;

import dev.sluice.common.config.Checks;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A model on a Triton Inference Server.
 *
 * @param target the server's gRPC address
 * @param model its name there
 * @param version of the model; empty: the one that Triton prefers
 * @param prompt what the model takes and gives: text, or token-ids, for which the tokenizer has to
 *     be known
 * @param tokenizer catalogue name or model file whose tokenizer and chat template are the model's;
 *     without one, a text model takes plain text only, and prompt tokens are estimated
 * @param contextLength most tokens of a request, prompt and output together
 * @param inputs tensors for fields of a request that are not called as usual, each as field=tensor;
 *     field= sends it to none
 * @param outputs likewise for what the model gives
 * @param constants tensors that are the same in every request, each as tensor=value
 * @param probeInterval how often the server is asked whether it is there
 * @param probeTimeout how long it may take to answer
 */
public record TritonConfig(
    String target,
    String model,
    String version,
    PromptForm prompt,
    Optional<String> tokenizer,
    int contextLength,
    List<String> inputs,
    List<String> outputs,
    List<String> constants,
    Duration probeInterval,
    Duration probeTimeout) {
  private static final int DEFAULT_CONTEXT = 4096;

  /** What a model takes and gives. */
  public enum PromptForm {
    /** Text; the model tokenizes by itself. */
    TEXT,
    /** Token ids. */
    TOKEN_IDS
  }

  public TritonConfig {
    Checks.notBlank("target", target, "host:port of Triton's gRPC service");
    Checks.range("context-length", contextLength, 2, 1 << 30);
    Checks.atLeast("probe-interval", probeInterval, Duration.ofMillis(10));
    Checks.atLeast("probe-timeout", probeTimeout, Duration.ofMillis(10));
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    constants = List.copyOf(constants);
    Mapping.parse("inputs", inputs, InputField.names());
    Mapping.parse("outputs", outputs, OutputField.names());
    Mapping.parse("constants", constants, List.of());
    if (prompt == PromptForm.TOKEN_IDS && tokenizer.isEmpty()) {
      throw new IllegalArgumentException(
          "tokenizer: not set (expected with prompt token-ids: the catalogue name or file of a"
              + " model with the same tokenizer)");
    }
  }

  /** A text model on this machine; it has to be named. */
  public static TritonConfig defaults() {
    return new TritonConfig(
        "127.0.0.1:8001",
        "",
        "",
        PromptForm.TEXT,
        Optional.empty(),
        DEFAULT_CONTEXT,
        List.of(),
        List.of(),
        List.of(),
        Duration.ofSeconds(1),
        Duration.ofSeconds(5));
  }
}
