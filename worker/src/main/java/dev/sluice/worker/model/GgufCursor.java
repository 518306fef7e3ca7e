package dev.sluice.worker.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Reads a GGUF file's little-endian header from front to back and trusts nothing: each read is
 * checked against the end, and no length is used before it has been.
 *
 * <p>Threading: used by one thread.
 */
final class GgufCursor {
  /** Keys, names and texts; the longest honest ones are chat templates of some 10 KiB. */
  private static final long MAX_STRING_BYTES = 16 << 20;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final String file;
  private final MemorySegment content;
  private long position;

  GgufCursor(String file, MemorySegment content) {
    this.file = file;
    this.content = content;
  }

  long position() {
    return position;
  }

  long remaining() {
    return content.byteSize() - position;
  }

  int int32(String what) {
    return content.get(INT, take(Integer.BYTES, what));
  }

  /** A 64-bit number that counts things of at least {@code leastBytes} each, still to be read. */
  long count(int leastBytes, String what) {
    long count = int64(what);
    if (count < 0 || count > remaining() / leastBytes) {
      throw new ModelFileException(
          "%s: %s: %s (expected: at most %d, as %d bytes are left)"
              .formatted(
                  file, what, Long.toUnsignedString(count), remaining() / leastBytes, remaining()));
    }
    return count;
  }

  long int64(String what) {
    return content.get(LONG, take(Long.BYTES, what));
  }

  String string(String what) {
    long length = count(1, what + ": length");
    if (length > MAX_STRING_BYTES) {
      throw new ModelFileException(
          "%s: %s: %d bytes (expected: at most %d)"
              .formatted(file, what, length, MAX_STRING_BYTES));
    }
    byte[] bytes = new byte[(int) length];
    MemorySegment.copy(content, ValueLayout.JAVA_BYTE, take(length, what), bytes, 0, bytes.length);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  GgufValue value(String what) {
    GgufValueType type = valueType(what);
    return switch (type) {
      case STRING -> new GgufValue.Text(string(what));
      case ARRAY -> array(what);
      case FLOAT32 -> new GgufValue.Real(Float.intBitsToFloat(int32(what)));
      case FLOAT64 -> new GgufValue.Real(Double.longBitsToDouble(int64(what)));
      case BOOL -> new GgufValue.Flag(whole(type, what) != 0);
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 ->
          new GgufValue.Whole(whole(type, what));
    };
  }

  /** A number of one of the whole types, or a truth value as 0 or 1. */
  long whole(GgufValueType type, String what) {
    long at = take(type.leastBytes, what);
    return switch (type) {
      case UINT8, BOOL -> content.get(ValueLayout.JAVA_BYTE, at) & 0xFF;
      case INT8 -> content.get(ValueLayout.JAVA_BYTE, at);
      case UINT16 -> content.get(SHORT, at) & 0xFFFF;
      case INT16 -> content.get(SHORT, at);
      case UINT32 -> content.get(INT, at) & 0xFFFF_FFFFL;
      case INT32 -> content.get(INT, at);
      case UINT64, INT64 -> content.get(LONG, at);
      case FLOAT32, FLOAT64, STRING, ARRAY ->
          throw new ModelFileException(
              file + ": " + what + ": " + type + " (expected: a whole number)");
    };
  }

  private GgufValue array(String what) {
    GgufValueType type = valueType(what);
    if (type == GgufValueType.ARRAY) {
      throw new ModelFileException(
          file + ": " + what + ": an array of arrays (expected: an array of values)");
    }
    long count = count(type.leastBytes, what + ": array length");
    long start = position;
    if (type == GgufValueType.STRING) {
      for (long i = 0; i < count; i++) {
        take(count(1, what + ": length of an element"), what);
      }
    } else {
      take(count * type.leastBytes, what); // cannot overflow: count was held against the end
    }
    return new GgufValue.Array(type, count, content.asSlice(start, position - start));
  }

  private GgufValueType valueType(String what) {
    int id = int32(what + ": type");
    return GgufValueType.ofId(id)
        .orElseThrow(() ->
            new ModelFileException(
                "%s: %s: type number %s (expected: 0 to %d)"
                    .formatted(
                        file,
                        what,
                        Integer.toUnsignedString(id),
                        GgufValueType.values().length - 1)));
  }

  private long take(long bytes, String what) {
    if (bytes > remaining()) {
      throw new ModelFileException(
          "%s: %s: cut off at byte %d (expected: %d more bytes, %d are left)"
              .formatted(file, what, position, bytes, remaining()));
    }
    long at = position;
    position += bytes;
    return at;
  }
}
