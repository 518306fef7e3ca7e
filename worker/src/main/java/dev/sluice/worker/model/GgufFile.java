package dev.sluice.worker.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A GGUF file (version 2 or 3, little-endian), mapped into memory:
 *
 * <pre>
 * "GGUF" | version u32 | tensors u64 | metadata entries u64
 * metadata entry:  key | type u32 | value
 * tensor:          name | dimensions u32 | each dimension u64, innermost first | type u32 | offset u64
 * padding to the alignment | tensor data, offsets from here
 * </pre>
 *
 * Opening checks the whole header, so that every tensor is known to lie in the file.
 *
 * <p>Threading: immutable; reading from several threads is safe. Closing unmaps the file.
 */
final class GgufFile implements AutoCloseable {
  static final int MAGIC = 0x46554747; // "GGUF"

  private static final String ALIGNMENT_KEY = "general.alignment";
  private static final long DEFAULT_ALIGNMENT = 32;
  private static final int MAX_DIMENSIONS = 4;
  // key length, type, one byte of value
  private static final int LEAST_ENTRY_BYTES = 13;
  // name length, dimensions, one dimension, type, offset
  private static final int LEAST_TENSOR_BYTES = 32;

  private final Path path;
  private final Arena arena;
  private final MemorySegment content;
  private final GgufMetadata metadata;
  private final Map<String, GgufTensor> tensors;

  private GgufFile(
      Path path,
      Arena arena,
      MemorySegment content,
      GgufMetadata metadata,
      Map<String, GgufTensor> tensors) {
    this.path = path;
    this.arena = arena;
    this.content = content;
    this.metadata = metadata;
    this.tensors = Collections.unmodifiableMap(tensors);
  }

  /**
   * Maps a file and reads its header.
   *
   * @throws ModelFileException if it cannot be read or is not a sound GGUF file
   */
  @SuppressWarnings("MustBeClosedChecker") // the file owns the arena; close() closes it
  static GgufFile open(Path path) {
    Arena arena = Arena.ofShared();
    try {
      return parse(path, arena, MappedFile.map(path, arena, "a GGUF file"));
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  private static GgufFile parse(Path path, Arena arena, MemorySegment content) {
    String file = path.toString();
    GgufCursor cursor = new GgufCursor(file, content);
    int magic = cursor.int32("magic number");
    if (magic != MAGIC) {
      throw new ModelFileException(
          "%s: begins with 0x%08x (expected: 0x%08x, a GGUF file)".formatted(file, magic, MAGIC));
    }
    int version = cursor.int32("version");
    if (version != 2 && version != 3) {
      throw new ModelFileException(
          "%s: GGUF version %s (expected: 2 or 3, little-endian)"
              .formatted(file, Integer.toUnsignedString(version)));
    }
    long tensorCount = cursor.count(LEAST_TENSOR_BYTES, "number of tensors");
    long entryCount = cursor.count(LEAST_ENTRY_BYTES, "number of metadata entries");
    GgufMetadata metadata = readMetadata(file, cursor, entryCount);
    long alignment =
        metadata.has(ALIGNMENT_KEY) ? metadata.whole(ALIGNMENT_KEY, 1, 1 << 20) : DEFAULT_ALIGNMENT;
    if (Long.bitCount(alignment) != 1) {
      throw new ModelFileException(
          file + ": " + ALIGNMENT_KEY + ": " + alignment + " (expected: a power of two)");
    }
    List<GgufTensor> relative = new ArrayList<>();
    for (long i = 0; i < tensorCount; i++) {
      relative.add(readTensor(file, cursor, i));
    }
    long dataStart = (cursor.position() + alignment - 1) & -alignment;
    Map<String, GgufTensor> tensors = new LinkedHashMap<>();
    for (GgufTensor tensor : relative) {
      GgufTensor placed = place(file, tensor, dataStart, content.byteSize(), alignment);
      if (tensors.putIfAbsent(tensor.name(), placed) != null) {
        throw new ModelFileException(
            file + ": tensor " + tensor.name() + ": listed twice (expected: once)");
      }
    }
    return new GgufFile(path, arena, content, metadata, tensors);
  }

  private static GgufMetadata readMetadata(String file, GgufCursor cursor, long count) {
    Map<String, GgufValue> values = new LinkedHashMap<>();
    for (long i = 0; i < count; i++) {
      String key = cursor.string("key of metadata entry " + i);
      if (values.putIfAbsent(key, cursor.value("metadata " + key)) != null) {
        throw new ModelFileException(
            file + ": metadata " + key + ": listed twice (expected: once)");
      }
    }
    return new GgufMetadata(file, values);
  }

  /** A tensor whose offset still counts from the start of the data. */
  private static GgufTensor readTensor(String file, GgufCursor cursor, long index) {
    String name = cursor.string("name of tensor " + index);
    String what = "tensor " + name;
    int dimensions = cursor.int32(what + ": number of dimensions");
    if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
      throw new ModelFileException(
          "%s: %s: %s dimensions (expected: 1 to %d)"
              .formatted(file, what, Integer.toUnsignedString(dimensions), MAX_DIMENSIONS));
    }
    List<Long> shape = new ArrayList<>();
    for (int i = 0; i < dimensions; i++) {
      shape.addFirst(cursor.int64(what + ": dimension " + i));
    }
    int typeId = cursor.int32(what + ": type");
    GgmlType type =
        GgmlType.ofId(typeId)
            .orElseThrow(() ->
                new ModelFileException(
                    "%s: %s: type %s (expected: %s)"
                        .formatted(file, what, GgmlType.describe(typeId), GgmlType.supported())));
    long offset = cursor.int64(what + ": offset");
    return new GgufTensor(name, type, shape, offset, bytes(file, what, type, shape));
  }

  private static long bytes(String file, String what, GgmlType type, List<Long> shape) {
    long elements = 1;
    for (long dimension : shape) {
      if (dimension < 1
          || Math.multiplyHigh(elements, dimension) != 0
          || elements * dimension < 0) {
        throw new ModelFileException(
            "%s: %s: shape %s (expected: dimensions from 1, fewer than 2^63 elements)"
                .formatted(file, what, shape));
      }
      elements *= dimension;
    }
    if (shape.getLast() % type.blockElements != 0) {
      throw new ModelFileException(
          "%s: %s: shape %s (expected: for %s, rows of a multiple of %d elements)"
              .formatted(file, what, shape, type, type.blockElements));
    }
    long blocks = elements / type.blockElements;
    if (blocks > Long.MAX_VALUE / type.blockBytes) {
      throw new ModelFileException(
          "%s: %s: shape %s (expected: fewer than 2^63 bytes)".formatted(file, what, shape));
    }
    return blocks * type.blockBytes;
  }

  private static GgufTensor place(
      String file, GgufTensor tensor, long dataStart, long fileBytes, long alignment) {
    long offset = tensor.offset();
    if ((offset & (alignment - 1)) != 0) {
      throw new ModelFileException(
          "%s: tensor %s: offset %s (expected: a multiple of %d)"
              .formatted(file, tensor.name(), Long.toUnsignedString(offset), alignment));
    }
    long room = fileBytes - dataStart;
    if (offset < 0 || offset > room || tensor.bytes() > room - offset) {
      throw new ModelFileException(
          "%s: tensor %s: %d bytes at offset %s (expected: inside the file's %d bytes of data)"
              .formatted(
                  file,
                  tensor.name(),
                  tensor.bytes(),
                  Long.toUnsignedString(offset),
                  Math.max(0, room)));
    }
    return new GgufTensor(
        tensor.name(), tensor.type(), tensor.shape(), dataStart + offset, tensor.bytes());
  }

  Path path() {
    return path;
  }

  GgufMetadata metadata() {
    return metadata;
  }

  /** All tensors by name, in the file's order. */
  Map<String, GgufTensor> tensors() {
    return tensors;
  }

  /** The whole file, read-only. */
  MemorySegment content() {
    return content;
  }

  @Override
  public void close() {
    arena.close();
  }
}
