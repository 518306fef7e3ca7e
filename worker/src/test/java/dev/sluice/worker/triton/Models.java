package dev.sluice.worker.triton;

import dev.sluice.triton.ModelConfig;
import dev.sluice.triton.ModelInput;
import dev.sluice.triton.ModelMetadataResponse;
import dev.sluice.triton.ModelMetadataResponse.TensorMetadata;
import dev.sluice.triton.ModelTransactionPolicy;
import java.util.ArrayList;
import java.util.List;

/** Models as a Triton server describes them: {@code name TYPE}, with a ? behind optional inputs. */
record Models(ModelMetadataResponse metadata, ModelConfig config) {
  /** Takes text, and nothing else. */
  static final Models PLAIN = of(List.of("text_input BYTES"), List.of("text_output BYTES"));

  /** Takes text and how to sample. */
  static final Models SAMPLING =
      of(
          List.of(
              "text_input BYTES",
              "max_tokens INT32?",
              "temperature FP32?",
              "top_k INT32?",
              "random_seed UINT64?",
              "stream BOOL?"),
          List.of("text_output BYTES"));

  /** Takes token ids. */
  static final Models IDS =
      of(
          List.of("input_ids INT32", "input_lengths INT32", "request_output_len INT32"),
          List.of("output_ids INT32"));

  static Models of(List<String> inputs, List<String> outputs) {
    ModelMetadataResponse.Builder metadata = ModelMetadataResponse.newBuilder().setName("llm");
    ModelConfig.Builder config =
        ModelConfig.newBuilder()
            .setName("llm")
            .setModelTransactionPolicy(ModelTransactionPolicy.newBuilder().setDecoupled(true));
    for (String input : inputs) {
      TensorMetadata tensor = tensor(input.replace("?", ""));
      metadata.addInputs(tensor);
      config.addInput(
          ModelInput.newBuilder().setName(tensor.getName()).setOptional(input.endsWith("?")));
    }
    List<TensorMetadata> given = new ArrayList<>();
    outputs.forEach(output -> given.add(tensor(output)));
    return new Models(metadata.addAllOutputs(given).build(), config.build());
  }

  private static TensorMetadata tensor(String text) {
    int space = text.indexOf(' ');
    return TensorMetadata.newBuilder()
        .setName(text.substring(0, space))
        .setDatatype(text.substring(space + 1))
        .addShape(-1)
        .build();
  }
}
