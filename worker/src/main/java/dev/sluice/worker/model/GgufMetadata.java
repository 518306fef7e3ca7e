package dev.sluice.worker.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Metadata of a GGUF file. Every getter throws {@link ModelFileException}, which names file and
 * key, if there is no such key or its value is of another kind than asked for.
 *
 * <p>Threading: immutable.
 */
final class GgufMetadata {
  private final String file;
  private final Map<String, GgufValue> values;

  GgufMetadata(String file, Map<String, GgufValue> values) {
    this.file = file;
    this.values = values;
  }

  boolean has(String key) {
    return values.containsKey(key);
  }

  String text(String key) {
    return switch (value(key, "a text")) {
      case GgufValue.Text(String text) -> text;
      case GgufValue other -> throw unexpected(key, other, "a text");
    };
  }

  String text(String key, String otherwise) {
    return has(key) ? text(key) : otherwise;
  }

  boolean flag(String key, boolean otherwise) {
    if (!has(key)) {
      return otherwise;
    }
    return switch (value(key, "true or false")) {
      case GgufValue.Flag(boolean flag) -> flag;
      case GgufValue other -> throw unexpected(key, other, "true or false");
    };
  }

  /** A whole number from {@code least} to {@code most}. */
  long whole(String key, long least, long most) {
    String expected = "a whole number from " + least + " to " + most;
    return switch (value(key, expected)) {
      case GgufValue.Whole(long whole) when whole >= least && whole <= most -> whole;
      case GgufValue other -> throw unexpected(key, other, expected);
    };
  }

  /** A finite number above zero. */
  double positive(String key) {
    String expected = "a number above 0";
    return switch (value(key, expected)) {
      case GgufValue.Real(double real) when real > 0 && Double.isFinite(real) -> real;
      case GgufValue other -> throw unexpected(key, other, expected);
    };
  }

  /** Refuses any value but this number. */
  void require(String key, double only) {
    String expected = Double.toString(only);
    if (!(value(key, expected) instanceof GgufValue.Real(double real) && real == only)) {
      throw unexpected(key, value(key, expected), expected);
    }
  }

  /** A finite number above zero, or {@code otherwise} if there is no such key. */
  double positive(String key, double otherwise) {
    return has(key) ? positive(key) : otherwise;
  }

  /** A list of texts; {@code most} bounds what is decoded. */
  List<String> texts(String key, long most) {
    String expected = "a list of at most " + most + " texts";
    return switch (value(key, expected)) {
      case GgufValue.Array array
          when array.elementType() == GgufValueType.STRING && array.count() <= most -> {
        GgufCursor cursor = new GgufCursor(file, array.content());
        List<String> texts = new ArrayList<>();
        for (long i = 0; i < array.count(); i++) {
          texts.add(cursor.string("metadata " + key));
        }
        yield texts;
      }
      case GgufValue other -> throw unexpected(key, other, expected);
    };
  }

  /** A list of exactly {@code count} whole numbers. */
  long[] wholes(String key, int count) {
    String expected = "a list of " + count + " whole numbers";
    return switch (value(key, expected)) {
      case GgufValue.Array array when array.count() == count -> {
        GgufCursor cursor = new GgufCursor(file, array.content());
        long[] wholes = new long[count];
        for (int i = 0; i < count; i++) {
          wholes[i] = cursor.whole(array.elementType(), "metadata " + key);
        }
        yield wholes;
      }
      case GgufValue other -> throw unexpected(key, other, expected);
    };
  }

  /** A list of exactly {@code count} numbers in float32. */
  float[] floats(String key, int count) {
    String expected = "a list of " + count + " FLOAT32";
    return switch (value(key, expected)) {
      case GgufValue.Array array
          when array.elementType() == GgufValueType.FLOAT32 && array.count() == count -> {
        GgufCursor cursor = new GgufCursor(file, array.content());
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
          floats[i] = Float.intBitsToFloat(cursor.int32("metadata " + key));
        }
        yield floats;
      }
      case GgufValue other -> throw unexpected(key, other, expected);
    };
  }

  private GgufValue value(String key, String expected) {
    GgufValue value = values.get(key);
    if (value == null) {
      throw new ModelFileException(
          file + ": metadata " + key + ": missing (expected: " + expected + ")");
    }
    return value;
  }

  private ModelFileException unexpected(String key, GgufValue value, String expected) {
    String found =
        switch (value) {
          case GgufValue.Text(String text) -> "'" + Excerpt.of(text) + "'";
          case GgufValue.Whole(long whole) -> Long.toString(whole);
          case GgufValue.Real(double real) -> Double.toString(real);
          case GgufValue.Flag(boolean flag) -> Boolean.toString(flag);
          case GgufValue.Array array -> "a list of " + array.count() + " " + array.elementType();
        };
    return new ModelFileException(
        file + ": metadata " + key + ": " + found + " (expected: " + expected + ")");
  }
}
