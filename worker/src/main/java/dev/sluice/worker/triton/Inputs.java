package dev.sluice.worker.triton;

import com.google.protobuf.ByteString;
import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.triton.InferParameter;
import dev.sluice.triton.ModelInferRequest;
import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.sampling.SamplingParams;
import dev.sluice.worker.sampling.TokenRules;
import java.util.Map;

/**
 * Which tensor each field of a request goes to; checked against the model.
 *
 * <p>Threading: immutable.
 *
 * @param config the model
 * @param fields tensors that are filled from the request
 * @param constants tensors that are the same in every request
 * @param decoupled whether the model gives its output in parts
 */
record Inputs(
    TritonConfig config,
    Map<InputField, InputTensor> fields,
    Map<InputTensor, ByteString> constants,
    boolean decoupled) {
  Inputs {
    fields = Map.copyOf(fields);
    constants = Map.copyOf(constants);
  }

  /**
   * Refuses what the model has no tensor for, unless it is what would be done anyway.
   *
   * @throws RefusalException naming the field
   */
  void check(GenerationTask task) {
    SamplingParams sampling = task.sampling();
    supports("sampling.temperature", InputField.TEMPERATURE, sampling.temperature(), 1);
    supports("sampling.top_k", InputField.TOP_K, sampling.topK(), 0);
    supports("sampling.top_p", InputField.TOP_P, sampling.topP(), 1);
    supports("sampling.min_p", InputField.MIN_P, sampling.minP(), 0);
    supports(
        "sampling.repetition_penalty",
        InputField.REPETITION_PENALTY,
        sampling.penalties().repetition(),
        1);
    supports(
        "sampling.presence_penalty",
        InputField.PRESENCE_PENALTY,
        sampling.penalties().presence(),
        0);
    supports(
        "sampling.frequency_penalty",
        InputField.FREQUENCY_PENALTY,
        sampling.penalties().frequency(),
        0);
    supports("stopping.min_tokens", InputField.MIN_TOKENS, task.minTokens(), 0);
    refuse(sampling.typicalP() != 1, "sampling.typical_p");
    refuse(!sampling.rules().equals(TokenRules.NONE), "sampling: bias, allowed or banned tokens");
    boolean text = config.prompt() == TritonConfig.PromptForm.TEXT;
    boolean json = fields.containsKey(InputField.SAMPLING_PARAMETERS);
    refuse(text && !json && task.ignoreEos(), "stopping.ignore_eos");
    refuse(text && !json && task.stopTokenIds().length > 0, "stopping.stop_token_ids");
    refuse(task.beam().isPresent(), "beam"); // before the choices that it has
    refuse(task.choices() > 1, "n");
    refuse(task.outputLogprobs().isPresent(), "logprobs.output");
    refuse(task.promptLogprobs().isPresent(), "logprobs.prompt");
    refuse(task.isResumed(), "hop.resume");
  }

  private void supports(String name, InputField field, double value, double neutral) {
    if (value != neutral
        && !fields.containsKey(field)
        && !fields.containsKey(InputField.SAMPLING_PARAMETERS)) {
      throw unsupported(
          name,
          name
              + ": "
              + value
              + " (expected: "
              + neutral
              + " or not set; the Triton model "
              + config.model()
              + " has no input for it)");
    }
  }

  private void refuse(boolean set, String name) {
    if (set) {
      throw unsupported(
          name, name + ": set (expected: not set with the Triton model " + config.model() + ")");
    }
  }

  private static RefusalException unsupported(String name, String message) {
    return new RefusalException(new Refusal.Unimplemented(name, message));
  }

  /** Whether the model ends its output when it is long enough. */
  boolean limitLength() {
    return fields.containsKey(InputField.MAX_TOKENS)
        || fields.containsKey(InputField.SAMPLING_PARAMETERS);
  }

  /** The request as it is sent. */
  ModelInferRequest request(Asked asked) {
    ModelInferRequest.Builder request =
        ModelInferRequest.newBuilder()
            .setModelName(config.model())
            .setModelVersion(config.version())
            .setId(asked.task().requestId())
            .putParameters(
                "triton_enable_empty_final_response",
                InferParameter.newBuilder().setBoolParam(true).build());
    fields.forEach((field, tensor) -> {
      if (field == InputField.STREAM) {
        tensor.add(request, 1, TensorType.BOOL.integer(decoupled ? 1 : 0));
      } else {
        field.of(asked).ifPresent(value -> tensor.add(request, value));
      }
    });
    constants.forEach((tensor, elements) -> tensor.add(request, 1, elements));
    return request.build();
  }
}
