package dev.sluice.router.kserve;

import dev.sluice.triton.DataType;
import dev.sluice.triton.ModelConfig;
import dev.sluice.triton.ModelInput;
import dev.sluice.triton.ModelMetadataResponse;
import dev.sluice.triton.ModelMetadataResponse.TensorMetadata;
import dev.sluice.triton.ModelOutput;
import dev.sluice.triton.ModelParameter;
import dev.sluice.triton.ModelTransactionPolicy;
import dev.sluice.v1.Model;
import java.util.List;

/** What each model takes and gives, in the protocol's words. Threading: no state. */
final class ModelTensors {
  static final String VERSION = "1";
  static final String PLATFORM = "sluice";
  static final String TEXT_OUTPUT = "text_output";
  static final String OUTPUT_IDS = "output_ids";
  static final String FINISH_REASON = "finish_reason";
  static final String INPUT_TOKENS = "num_input_tokens";
  static final String OUTPUT_TOKENS = "num_output_tokens";

  /**
   * A tensor of one dimension.
   *
   * @param length -1: any
   */
  private record Tensor(String name, String type, DataType configType, long length) {}

  private static final List<Tensor> INPUTS =
      List.of(
          new Tensor(InferRequests.TEXT_INPUT, "BYTES", DataType.TYPE_STRING, 1),
          new Tensor(InferRequests.INPUT_IDS, "INT32", DataType.TYPE_INT32, -1),
          new Tensor(InferRequests.STREAM, "BOOL", DataType.TYPE_BOOL, 1),
          new Tensor(InferRequests.SAMPLING, "BYTES", DataType.TYPE_STRING, 1),
          new Tensor(InferRequests.EXCLUDE_INPUT, "BOOL", DataType.TYPE_BOOL, 1),
          new Tensor("return_finish_reason", "BOOL", DataType.TYPE_BOOL, 1),
          new Tensor("return_num_input_tokens", "BOOL", DataType.TYPE_BOOL, 1),
          new Tensor("return_num_output_tokens", "BOOL", DataType.TYPE_BOOL, 1));

  private static final List<Tensor> OUTPUTS =
      List.of(
          new Tensor(TEXT_OUTPUT, "BYTES", DataType.TYPE_STRING, -1),
          new Tensor(OUTPUT_IDS, "INT32", DataType.TYPE_INT32, -1),
          new Tensor(FINISH_REASON, "BYTES", DataType.TYPE_STRING, -1),
          new Tensor(INPUT_TOKENS, "UINT32", DataType.TYPE_UINT32, 1),
          new Tensor(OUTPUT_TOKENS, "UINT32", DataType.TYPE_UINT32, 1));

  private ModelTensors() {}

  static ModelMetadataResponse metadata(String name) {
    return ModelMetadataResponse.newBuilder()
        .setName(name)
        .addVersions(VERSION)
        .setPlatform(PLATFORM)
        .addAllInputs(INPUTS.stream().map(ModelTensors::metadata).toList())
        .addAllOutputs(OUTPUTS.stream().map(ModelTensors::metadata).toList())
        .build();
  }

  private static TensorMetadata metadata(Tensor tensor) {
    return TensorMetadata.newBuilder()
        .setName(tensor.name())
        .setDatatype(tensor.type())
        .addShape(tensor.length())
        .build();
  }

  static ModelConfig config(String name, Model model) {
    ModelConfig.Builder config =
        ModelConfig.newBuilder()
            .setName(name)
            .setPlatform(PLATFORM)
            .setBackend(PLATFORM)
            .setModelTransactionPolicy(ModelTransactionPolicy.newBuilder().setDecoupled(true))
            .putParameters("context_length", parameter(model.getContextLength()))
            .putParameters("vocabulary_size", parameter(model.getVocabularySize()))
            .putParameters("block_size", parameter(model.getBlockSize()));
    for (Tensor input : INPUTS) {
      config.addInput(
          ModelInput.newBuilder()
              .setName(input.name())
              .setDataType(input.configType())
              .addDims(input.length())
              .setOptional(true)); // text_input or input_ids, and nothing else, is needed
    }
    for (Tensor output : OUTPUTS) {
      config.addOutput(
          ModelOutput.newBuilder()
              .setName(output.name())
              .setDataType(output.configType())
              .addDims(output.length()));
    }
    return config.build();
  }

  private static ModelParameter parameter(int value) {
    return ModelParameter.newBuilder().setStringValue(Integer.toUnsignedString(value)).build();
  }
}
