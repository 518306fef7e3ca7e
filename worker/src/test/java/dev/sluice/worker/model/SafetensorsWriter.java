package dev.sluice.worker.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Writes small safetensors files, sound ones and, where a test says so, unsound ones. */
final class SafetensorsWriter {
  private final List<String> entries = new ArrayList<>();
  private byte[] data = {};

  /** A tensor behind those before. */
  SafetensorsWriter tensor(String name, String dtype, byte[] content, long... shape) {
    long begin = data.length;
    long end = begin + content.length;
    data = GgufWriter.join(data, content);
    return entry(
        name,
        "{\"dtype\": \"%s\", \"shape\": %s, \"data_offsets\": [%d, %d]}"
            .formatted(dtype, Arrays.toString(shape), begin, end));
  }

  /** A tensor of float32. */
  SafetensorsWriter floats(String name, float[] values, long... shape) {
    return tensor(name, "F32", floats(values), shape);
  }

  /** A tensor of bfloat16. */
  SafetensorsWriter bfloats(String name, float[] values, long... shape) {
    return tensor(name, "BF16", bfloats(values), shape);
  }

  /** A tensor of float16. */
  SafetensorsWriter halves(String name, float[] values, long... shape) {
    return tensor(name, "F16", halves(values), shape);
  }

  /** An entry of the header as it is. */
  SafetensorsWriter entry(String name, String json) {
    entries.add("\"" + name + "\": " + json);
    return this;
  }

  /** Bytes behind the tensors. */
  SafetensorsWriter tail(byte[] content) {
    data = GgufWriter.join(data, content);
    return this;
  }

  String header() {
    return "{" + String.join(", ", entries) + "}";
  }

  byte[] toBytes() {
    return withHeader(header(), data);
  }

  static byte[] withHeader(String header, byte[] data) {
    byte[] bytes = header.getBytes(StandardCharsets.UTF_8);
    return GgufWriter.join(GgufWriter.int64(bytes.length), bytes, data);
  }

  Path write(Path file) {
    try {
      return Files.write(file, toBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] floats(float[] values) {
    ByteBuffer buffer = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      buffer.putFloat(value);
    }
    return buffer.array();
  }

  /** Cuts off what bfloat16 has no room for. */
  static byte[] bfloats(float[] values) {
    ByteBuffer buffer = ByteBuffer.allocate(values.length * 2).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      buffer.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
    }
    return buffer.array();
  }

  static byte[] halves(float[] values) {
    ByteBuffer buffer = ByteBuffer.allocate(values.length * 2).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      buffer.putShort(Float.floatToFloat16(value));
    }
    return buffer.array();
  }
}
