package dev.sluice.router.kserve;

import com.google.protobuf.ByteString;
import dev.sluice.router.edge.FinishReasons;
import dev.sluice.triton.InferParameter;
import dev.sluice.triton.ModelInferResponse;
import dev.sluice.triton.ModelInferResponse.InferOutputTensor;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.Usage;
import java.util.List;

/** Answers of the protocol. Threading: immutable. */
final class InferAnswers {
  private static final String FINAL = "triton_final_response";
  private static final String CHOICE = "choice";

  private final Inference inference;

  InferAnswers(Inference inference) {
    this.inference = inference;
  }

  private ModelInferResponse.Builder answer() {
    return ModelInferResponse.newBuilder()
        .setModelName(inference.name())
        .setModelVersion(ModelTensors.VERSION)
        .setId(inference.id());
  }

  /** A part of a choice, in a stream. */
  ModelInferResponse part(int choice, String text, List<Integer> tokenIds) {
    ModelInferResponse.Builder part = answer().putParameters(FINAL, bool(false));
    if (inference.choices() > 1) {
      part.putParameters(CHOICE, InferParameter.newBuilder().setInt64Param(choice).build());
    }
    texts(part, ModelTensors.TEXT_OUTPUT, List.of(text));
    if (inference.tokenIds()) {
      integers(part, ModelTensors.OUTPUT_IDS, "INT32", tokenIds);
    }
    return part.build();
  }

  /** How a stream ended, for those who asked: the last of its answers with outputs. */
  ModelInferResponse ending(List<FinishReason> reasons, Usage usage) {
    ModelInferResponse.Builder ending = answer().putParameters(FINAL, bool(false));
    texts(ending, ModelTensors.TEXT_OUTPUT, List.of(""));
    addEnding(ending, reasons, usage);
    return ending.build();
  }

  /** The mark at the end of a stream. */
  ModelInferResponse last() {
    return answer().putParameters(FINAL, bool(true)).build();
  }

  /** All of it in one. */
  ModelInferResponse whole(
      List<String> texts, List<Integer> tokenIds, List<FinishReason> reasons, Usage usage) {
    ModelInferResponse.Builder whole = answer();
    texts(whole, ModelTensors.TEXT_OUTPUT, texts);
    if (inference.tokenIds()) {
      integers(whole, ModelTensors.OUTPUT_IDS, "INT32", tokenIds);
    }
    addEnding(whole, reasons, usage);
    return whole.build();
  }

  private void addEnding(
      ModelInferResponse.Builder answer, List<FinishReason> reasons, Usage usage) {
    if (inference.ending()) {
      texts(answer, ModelTensors.FINISH_REASON, reasons.stream().map(FinishReasons::name).toList());
    }
    if (inference.counts()) {
      integers(answer, ModelTensors.INPUT_TOKENS, "UINT32", List.of(usage.getPromptTokens()));
      integers(answer, ModelTensors.OUTPUT_TOKENS, "UINT32", List.of(usage.getOutputTokens()));
    }
  }

  private static void texts(ModelInferResponse.Builder answer, String name, List<String> texts) {
    output(answer, name, "BYTES", texts.size(), Tensors.ofTexts(texts));
  }

  private static void integers(
      ModelInferResponse.Builder answer, String name, String type, List<Integer> values) {
    output(answer, name, type, values.size(), Tensors.ofIntegers(values));
  }

  private static void output(
      ModelInferResponse.Builder answer, String name, String type, int length, ByteString raw) {
    answer
        .addOutputs(InferOutputTensor.newBuilder().setName(name).setDatatype(type).addShape(length))
        .addRawOutputContents(raw);
  }

  private static InferParameter bool(boolean value) {
    return InferParameter.newBuilder().setBoolParam(value).build();
  }
}
