package dev.sluice.worker.triton;

import com.google.protobuf.ByteString;
import dev.sluice.triton.ModelInferRequest;

/**
 * An input of the model, as it is sent.
 *
 * @param rank dimensions, that of the batch included
 */
record InputTensor(String name, TensorType type, int rank) {
  /** Adds one element, or a row of them. */
  void add(ModelInferRequest.Builder request, InputField.Value value) {
    switch (value) {
      case InputField.Value.Text text -> add(request, 1, TensorType.text(text.text()));
      case InputField.Value.Ids ids -> add(request, ids.ids().length, type.integers(ids.ids()));
      case InputField.Value.Numeric number -> add(request, 1, type.element(number.number()));
      case InputField.Value.Whole integer ->
          add(
              request,
              1,
              type.isInteger()
                  ? type.integer(integer.integer())
                  : type.element((double) integer.integer()));
    }
  }

  /** Adds elements: all dimensions but the last are 1. */
  void add(ModelInferRequest.Builder request, int count, ByteString elements) {
    ModelInferRequest.InferInputTensor.Builder tensor =
        ModelInferRequest.InferInputTensor.newBuilder().setName(name).setDatatype(type.name());
    for (int i = 1; i < rank; i++) {
      tensor.addShape(1);
    }
    request.addInputs(tensor.addShape(count)).addRawInputContents(elements);
  }

  /** Whether values of this field can be written to it. */
  boolean fits(InputField field) {
    return switch (field) {
      case TEXT, SAMPLING_PARAMETERS -> type == TensorType.BYTES;
      case INPUT_IDS -> type.isInteger() && type.size() >= 4;
      case STREAM -> type == TensorType.BOOL;
      case INPUT_LENGTH, MAX_TOKENS, MIN_TOKENS, TOP_K, SEED, END_ID -> type.isInteger();
      case TEMPERATURE, TOP_P, MIN_P, REPETITION_PENALTY, PRESENCE_PENALTY, FREQUENCY_PENALTY ->
          type.isNumber();
    };
  }

  /** For messages. */
  static String expected(InputField field) {
    return switch (field) {
      case TEXT, SAMPLING_PARAMETERS -> "BYTES";
      case INPUT_IDS -> "INT32 or INT64";
      case STREAM -> "BOOL";
      case INPUT_LENGTH, MAX_TOKENS, MIN_TOKENS, TOP_K, SEED, END_ID -> "an integer type";
      case TEMPERATURE, TOP_P, MIN_P, REPETITION_PENALTY, PRESENCE_PENALTY, FREQUENCY_PENALTY ->
          "FP32";
    };
  }
}
