package dev.sluice.worker.triton;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** How elements lie in a tensor's bytes: little-endian; BYTES with the length in 4 bytes before. */
enum TensorType {
  BOOL(1),
  UINT8(1),
  UINT16(2),
  UINT32(4),
  UINT64(8),
  INT8(1),
  INT16(2),
  INT32(4),
  INT64(8),
  FP32(4),
  FP64(8),
  BYTES(0);

  private final int size;

  TensorType(int size) {
    this.size = size;
  }

  /** The type of this name, if it is one that can be filled and read here. */
  static Optional<TensorType> of(String datatype) {
    for (TensorType type : values()) {
      if (type.name().equals(datatype)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  boolean isInteger() {
    return switch (this) {
      case UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64 -> true;
      case BOOL, FP32, FP64, BYTES -> false;
    };
  }

  boolean isNumber() {
    return isInteger() || this == FP32 || this == FP64;
  }

  /** One element. */
  ByteString element(double number) {
    return switch (this) {
      case FP32 -> ByteString.copyFrom(bytes().putFloat((float) number).flip());
      case FP64 -> ByteString.copyFrom(bytes().putDouble(number).flip());
      case BOOL -> integer(number == 0 ? 0 : 1);
      case UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64 -> integer((long) number);
      case BYTES -> throw new IllegalStateException("a number as BYTES");
    };
  }

  /** One element of an integer type; what does not fit is cut off above. */
  ByteString integer(long value) {
    return ByteString.copyFrom(bytes().putLong(value).rewind().limit(size));
  }

  /** Elements of an integer type. */
  ByteString integers(int[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * size + 8).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < values.length; i++) {
      bytes.putLong(i * size, values[i]); // the next one overwrites what is too much
    }
    return ByteString.copyFrom(bytes.limit(values.length * size));
  }

  /** One element of type BYTES. */
  static ByteString text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(4 + utf8.length).order(ByteOrder.LITTLE_ENDIAN).putInt(utf8.length);
    return ByteString.copyFrom(bytes.put(utf8).flip());
  }

  /** One element, written as people do. */
  ByteString parse(String value) {
    return switch (this) {
      case BYTES -> text(value);
      case BOOL -> {
        if (!value.equals("true") && !value.equals("false")) {
          throw new IllegalArgumentException(value + " (expected: true or false)");
        }
        yield integer(value.equals("true") ? 1 : 0);
      }
      case FP32, FP64 -> element(Double.parseDouble(value));
      case UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64 ->
          integer(Long.parseLong(value));
    };
  }

  /** The integer at an index. */
  long integerAt(ByteBuffer raw, int index) {
    return switch (this) {
      case BOOL, UINT8 -> raw.get(index) & 0xffL;
      case INT8 -> raw.get(index);
      case UINT16 -> raw.getShort(2 * index) & 0xffffL;
      case INT16 -> raw.getShort(2 * index);
      case UINT32 -> raw.getInt(4 * index) & 0xffff_ffffL;
      case INT32 -> raw.getInt(4 * index);
      case UINT64, INT64 -> raw.getLong(8 * index);
      case FP32 -> (long) raw.getFloat(4 * index);
      case FP64 -> (long) raw.getDouble(8 * index);
      case BYTES -> throw new IllegalStateException("an integer from BYTES");
    };
  }

  /** Bytes of an element; 0 if each has its own number. */
  int size() {
    return size;
  }

  private static ByteBuffer bytes() {
    return ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
  }
}
