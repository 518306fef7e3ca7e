package dev.sluice.worker.model;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes small GGUF files, sound ones and, where a test says so, unsound ones. */
final class GgufWriter {
  private static final int ALIGNMENT = 32;

  /** Values as the file has them: type number and bytes. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Value(int type, byte[] bytes) {}

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Tensor(String name, int type, long[] shape, byte[] data, long offset) {}

  int magic = GgufFile.MAGIC;
  int version = 3;
  private final Map<String, Value> metadata = new LinkedHashMap<>();
  private final List<Tensor> tensors = new ArrayList<>();
  private long nextOffset;

  GgufWriter text(String key, String value) {
    return put(key, 8, string(value));
  }

  GgufWriter uint32(String key, int value) {
    return put(key, 4, int32(value));
  }

  GgufWriter float32(String key, float value) {
    return put(key, 6, int32(Float.floatToIntBits(value)));
  }

  GgufWriter flag(String key, boolean value) {
    return put(key, 7, new byte[] {(byte) (value ? 1 : 0)});
  }

  GgufWriter texts(String key, List<String> values) {
    byte[][] elements = values.stream().map(GgufWriter::string).toArray(byte[][]::new);
    return put(key, 9, join(int32(8), int64(values.size()), join(elements)));
  }

  GgufWriter int32s(String key, int... values) {
    ByteBuffer buffer = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (int value : values) {
      buffer.putInt(value);
    }
    return put(key, 9, join(int32(5), int64(values.length), buffer.array()));
  }

  GgufWriter float32s(String key, float... values) {
    return put(key, 9, join(int32(6), int64(values.length), SafetensorsWriter.floats(values)));
  }

  /** Any value, by type number and bytes. */
  GgufWriter put(String key, int type, byte[] bytes) {
    metadata.put(key, new Value(type, bytes));
    return this;
  }

  GgufWriter remove(String key) {
    metadata.remove(key);
    return this;
  }

  /** A tensor behind those before; shape outermost dimension first. */
  GgufWriter tensor(String name, GgmlType type, byte[] data, long... shape) {
    return tensorAt(nextOffset, name, type.id, data, shape);
  }

  /** A tensor at any place, of any type. */
  GgufWriter tensorAt(long offset, String name, int type, byte[] data, long... shape) {
    tensors.add(new Tensor(name, type, shape, data, offset));
    nextOffset = (nextOffset + data.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return this;
  }

  GgufWriter floats(String name, float[] values, long... shape) {
    ByteBuffer buffer = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      buffer.putFloat(value);
    }
    return tensor(name, GgmlType.F32, buffer.array(), shape);
  }

  /** Lists a tensor under another name and shape; its data stay as they are. */
  GgufWriter relabel(String name, String newName, long... newShape) {
    tensors.replaceAll(tensor ->
        tensor.name().equals(name)
            ? new Tensor(newName, tensor.type(), newShape, tensor.data(), tensor.offset())
            : tensor);
    return this;
  }

  byte[] toBytes() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(header());
    out.writeBytes(new byte[(ALIGNMENT - out.size() % ALIGNMENT) % ALIGNMENT]);
    for (Tensor tensor : tensors) {
      out.writeBytes(tensor.data());
      out.writeBytes(new byte[(ALIGNMENT - tensor.data().length % ALIGNMENT) % ALIGNMENT]);
    }
    return out.toByteArray();
  }

  /** All bytes before the padding that precedes the data. */
  byte[] header() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(join(int32(magic), int32(version)));
    out.writeBytes(join(int64(tensors.size()), int64(metadata.size())));
    metadata.forEach(
        (key, value) -> out.writeBytes(join(string(key), int32(value.type()), value.bytes())));
    for (Tensor tensor : tensors) {
      out.writeBytes(join(string(tensor.name()), int32(tensor.shape().length)));
      for (int i = tensor.shape().length - 1; i >= 0; i--) {
        out.writeBytes(int64(tensor.shape()[i]));
      }
      out.writeBytes(join(int32(tensor.type()), int64(tensor.offset())));
    }
    return out.toByteArray();
  }

  Path write(Path file) {
    try {
      return Files.write(file, toBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] string(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return join(int64(bytes.length), bytes);
  }

  static byte[] int32(int value) {
    return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
  }

  static byte[] int64(long value) {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
  }

  static byte[] join(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }
}
