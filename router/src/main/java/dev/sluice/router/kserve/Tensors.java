package dev.sluice.router.kserve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.google.protobuf.ByteString;
import dev.sluice.common.error.RefusalException;
import dev.sluice.triton.InferTensorContents;
import dev.sluice.triton.ModelInferRequest.InferInputTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.Consumer;

/**
 * Tensors of the protocol, as JSON values and out of them. Raw contents are little-endian, one
 * element after the other; an element of type BYTES is preceded by its length in four bytes.
 *
 * <p>Threading: no state.
 */
final class Tensors {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private Tensors() {}

  /**
   * The elements of an input.
   *
   * @param raw its raw contents; empty if they are in the tensor itself
   * @throws RefusalException if type, shape and contents do not fit each other
   */
  static ArrayNode read(InferInputTensor tensor, ByteString raw) {
    ArrayNode elements = NODES.arrayNode();
    if (tensor.hasContents()) {
      contents(tensor, elements);
    } else {
      raw(tensor, raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN), elements);
    }
    long expected = 1;
    for (long dimension : tensor.getShapeList()) {
      expected *= Math.max(0, dimension);
    }
    if (elements.size() != expected) {
      throw RefusalException.invalid(
          tensor.getName(),
          elements.size()
              + " elements (expected: "
              + expected
              + ", which the shape "
              + tensor.getShapeList()
              + " says)");
    }
    return elements;
  }

  private static void contents(InferInputTensor tensor, ArrayNode elements) {
    InferTensorContents c = tensor.getContents();
    switch (tensor.getDatatype()) {
      case "BYTES" -> c.getBytesContentsList().forEach(b -> elements.add(text(tensor, b)));
      case "BOOL" -> c.getBoolContentsList().forEach((Consumer<Boolean>) elements::add);
      case "INT8", "INT16", "INT32" ->
          c.getIntContentsList().forEach((Consumer<Integer>) elements::add);
      case "INT64" -> c.getInt64ContentsList().forEach((Consumer<Long>) elements::add);
      case "UINT8", "UINT16", "UINT32" ->
          c.getUintContentsList().forEach(v -> elements.add(Integer.toUnsignedLong(v)));
      case "UINT64" -> c.getUint64ContentsList().forEach((Consumer<Long>) elements::add);
      case "FP32" -> c.getFp32ContentsList().forEach((Consumer<Float>) elements::add);
      case "FP64" -> c.getFp64ContentsList().forEach((Consumer<Double>) elements::add);
      default -> throw unknownType(tensor);
    }
  }

  private static void raw(InferInputTensor tensor, ByteBuffer in, ArrayNode elements) {
    int width = width(tensor);
    while (in.hasRemaining()) {
      if (in.remaining() < width) {
        throw cutShort(tensor);
      }
      switch (tensor.getDatatype()) {
        case "BYTES" -> {
          int length = in.getInt();
          if (length < 0 || length > in.remaining()) {
            throw cutShort(tensor);
          }
          elements.add(text(tensor, ByteString.copyFrom(in.slice(in.position(), length))));
          in.position(in.position() + length);
        }
        case "BOOL" -> elements.add(in.get() != 0);
        case "INT8" -> elements.add((int) in.get());
        case "UINT8" -> elements.add(Byte.toUnsignedInt(in.get()));
        case "INT16" -> elements.add((int) in.getShort());
        case "UINT16" -> elements.add(Short.toUnsignedInt(in.getShort()));
        case "INT32" -> elements.add(in.getInt());
        case "UINT32" -> elements.add(Integer.toUnsignedLong(in.getInt()));
        case "INT64", "UINT64" -> elements.add(in.getLong());
        case "FP32" -> elements.add(in.getFloat());
        case "FP64" -> elements.add(in.getDouble());
        default -> throw unknownType(tensor);
      }
    }
  }

  private static int width(InferInputTensor tensor) {
    return switch (tensor.getDatatype()) {
      case "BOOL", "INT8", "UINT8" -> 1;
      case "INT16", "UINT16" -> 2;
      case "BYTES", "INT32", "UINT32", "FP32" -> 4;
      case "INT64", "UINT64", "FP64" -> 8;
      default -> throw unknownType(tensor);
    };
  }

  private static JsonNode text(InferInputTensor tensor, ByteString bytes) {
    if (!bytes.isValidUtf8()) {
      throw RefusalException.invalid(tensor.getName(), "not UTF-8 (expected: text)");
    }
    return NODES.textNode(bytes.toStringUtf8());
  }

  private static RefusalException cutShort(InferInputTensor tensor) {
    return RefusalException.invalid(
        tensor.getName(),
        "its raw contents end within an element (expected: whole elements of type "
            + tensor.getDatatype()
            + ")");
  }

  private static RefusalException unknownType(InferInputTensor tensor) {
    return RefusalException.invalid(
        tensor.getName(),
        "datatype \""
            + tensor.getDatatype()
            + "\" (expected: BYTES, BOOL, FP32, FP64, or INT or UINT of 8 to 64 bits)");
  }

  /** Raw contents of type BYTES. */
  static ByteString ofTexts(List<String> texts) {
    ByteString all = ByteString.EMPTY;
    for (String text : texts) {
      ByteString bytes = ByteString.copyFromUtf8(text);
      ByteBuffer length = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
      length.putInt(bytes.size()).flip();
      all = all.concat(ByteString.copyFrom(length)).concat(bytes);
    }
    return all;
  }

  /** Raw contents of type INT32 or UINT32. */
  static ByteString ofIntegers(List<Integer> values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.size()).order(ByteOrder.LITTLE_ENDIAN);
    values.forEach(bytes::putInt);
    return ByteString.copyFrom(bytes.flip());
  }
}
