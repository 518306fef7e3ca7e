package dev.sluice.worker.triton;

import com.google.protobuf.ByteString;
import dev.sluice.triton.InferParameter;
import dev.sluice.triton.InferTensorContents;
import dev.sluice.triton.ModelInferResponse;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which tensors of a response are what.
 *
 * <p>Threading: immutable.
 *
 * @param tensors names of those that the model has
 */
record Outputs(Map<OutputField, String> tensors) {
  Outputs {
    tensors = Map.copyOf(tensors);
  }

  /**
   * One response.
   *
   * @param text bytes of UTF-8, which may end within a character
   * @param ids token ids
   * @param tokens how many tokens the text is counted as
   * @param endedByLength whether the model says that it has ended for its length
   * @param last whether no more comes
   */
  record Part(ByteString text, List<Integer> ids, int tokens, boolean endedByLength, boolean last) {
    Part {
      ids = List.copyOf(ids);
    }

    /** Whether there is any output in it: tokens may add no text, as the end of sequence does. */
    boolean isEmpty() {
      return text.isEmpty() && tokens == 0 && ids.isEmpty();
    }
  }

  /**
   * Reads a response.
   *
   * @throws IllegalArgumentException if it is not what the model's description says
   */
  Part read(ModelInferResponse response) {
    ByteString text = bytes(response, OutputField.TEXT);
    List<Integer> ids = integers(response, OutputField.OUTPUT_IDS);
    List<Integer> counted = integers(response, OutputField.TOKENS);
    int tokens = counted.isEmpty() ? (text.isEmpty() ? 0 : 1) : counted.getLast();
    return new Part(
        text,
        ids,
        tokens,
        bytes(response, OutputField.FINISH_REASON).toStringUtf8().equals("length"),
        response
            .getParametersOrDefault("triton_final_response", InferParameter.getDefaultInstance())
            .getBoolParam());
  }

  private ByteString bytes(ModelInferResponse response, OutputField field) {
    int index = index(response, field);
    if (index < 0) {
      return ByteString.EMPTY;
    }
    InferTensorContents contents = response.getOutputs(index).getContents();
    if (response.getRawOutputContentsCount() == 0) {
      return ByteString.copyFrom(contents.getBytesContentsList());
    }
    ByteBuffer raw = raw(response, index);
    ByteArrayOutputStream joined = new ByteArrayOutputStream(raw.remaining());
    while (raw.remaining() >= Integer.BYTES) {
      int length = raw.getInt();
      if (length < 0 || length > raw.remaining()) {
        throw new IllegalArgumentException(
            tensors.get(field)
                + ": an element of "
                + Integer.toUnsignedString(length)
                + " bytes (expected: at most "
                + raw.remaining()
                + ", which is what follows)");
      }
      byte[] element = new byte[length];
      raw.get(element);
      joined.write(element, 0, length);
    }
    return ByteString.copyFrom(joined.toByteArray());
  }

  private List<Integer> integers(ModelInferResponse response, OutputField field) {
    int index = index(response, field);
    if (index < 0) {
      return List.of();
    }
    ModelInferResponse.InferOutputTensor tensor = response.getOutputs(index);
    if (response.getRawOutputContentsCount() == 0) {
      return typed(tensor.getContents());
    }
    Optional<TensorType> type = TensorType.of(tensor.getDatatype()).filter(TensorType::isInteger);
    if (type.isEmpty()) {
      throw new IllegalArgumentException(
          tensor.getName() + ": " + tensor.getDatatype() + " (expected: integers)");
    }
    ByteBuffer raw = raw(response, index);
    int count = raw.remaining() / type.get().size();
    List<Integer> values = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      values.add(Math.toIntExact(type.get().integerAt(raw, i)));
    }
    return values;
  }

  private static List<Integer> typed(InferTensorContents contents) {
    List<Integer> values = new ArrayList<>(contents.getIntContentsList());
    contents.getInt64ContentsList().forEach(value -> values.add(Math.toIntExact(value)));
    values.addAll(contents.getUintContentsList());
    contents.getUint64ContentsList().forEach(value -> values.add(Math.toIntExact(value)));
    return values;
  }

  private static ByteBuffer raw(ModelInferResponse response, int index) {
    return response
        .getRawOutputContents(index)
        .asReadOnlyByteBuffer()
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Where in the response the field's tensor is; the last response of a stream may have none. */
  private int index(ModelInferResponse response, OutputField field) {
    String name = tensors.getOrDefault(field, "");
    int index = response.getOutputsCount() - 1;
    while (index >= 0 && !response.getOutputs(index).getName().equals(name)) {
      index--;
    }
    return index;
  }
}
