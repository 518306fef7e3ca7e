package dev.sluice.worker.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A safetensors file, mapped into memory:
 *
 * <pre>
 * header length u64 | header, a JSON object | tensor data, offsets from here
 * "name": {"dtype": "BF16", "shape": [out, in], "data_offsets": [begin, end]}
 * </pre>
 *
 * Opening checks the whole header, so that every tensor is known to lie in the file, and that the
 * tensors fill the data from end to end, as the format demands: a file that was cut off or is
 * overlapped by another shows there.
 *
 * <p>Threading: immutable; reading from several threads is safe. Closing unmaps the file.
 */
final class SafetensorsFile implements AutoCloseable {
  /** The format's own limit. */
  private static final long MAX_HEADER_BYTES = 100_000_000;

  private static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path path;
  private final Arena arena;
  private final MemorySegment content;
  private final Map<String, SafetensorsTensor> tensors;

  private SafetensorsFile(
      Path path, Arena arena, MemorySegment content, Map<String, SafetensorsTensor> tensors) {
    this.path = path;
    this.arena = arena;
    this.content = content;
    this.tensors = Collections.unmodifiableMap(tensors);
  }

  /**
   * Maps a file and reads its header.
   *
   * @throws ModelFileException if it cannot be read or is not a sound safetensors file
   */
  @SuppressWarnings("MustBeClosedChecker") // the file owns the arena; close() closes it
  static SafetensorsFile open(Path path) {
    Arena arena = Arena.ofShared();
    try {
      return parse(path, arena, MappedFile.map(path, arena, "a safetensors file"));
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  private static SafetensorsFile parse(Path path, Arena arena, MemorySegment content) {
    long room = content.byteSize() - Long.BYTES;
    if (room < 0) {
      throw new ModelFileException(
          "%s: %d bytes (expected: at least 8, a safetensors file)"
              .formatted(path, content.byteSize()));
    }
    long headerBytes = content.get(LENGTH, 0);
    long most = Math.min(room, MAX_HEADER_BYTES);
    if (headerBytes < 0 || headerBytes > most) {
      throw new ModelFileException(
          "%s: header of %s bytes (expected: at most %d)"
              .formatted(path, Long.toUnsignedString(headerBytes), most));
    }
    byte[] header = new byte[(int) headerBytes];
    MemorySegment.copy(content, ValueLayout.JAVA_BYTE, Long.BYTES, header, 0, header.length);
    long dataStart = Long.BYTES + headerBytes;
    Map<String, SafetensorsTensor> tensors = new LinkedHashMap<>();
    for (SafetensorsTensor tensor : SafetensorsHeader.read(path, header)) {
      tensors.put(
          tensor.name(),
          new SafetensorsTensor(
              tensor.name(),
              tensor.dtype(),
              tensor.shape(),
              dataStart + tensor.offset(),
              tensor.bytes()));
    }
    checkFilled(path, tensors, dataStart, content.byteSize());
    return new SafetensorsFile(path, arena, content, tensors);
  }

  private static void checkFilled(
      Path path, Map<String, SafetensorsTensor> tensors, long dataStart, long fileBytes) {
    List<SafetensorsTensor> ordered = new ArrayList<>(tensors.values());
    ordered.sort(Comparator.comparingLong(SafetensorsTensor::offset));
    long end = dataStart;
    for (SafetensorsTensor tensor : ordered) {
      if (tensor.offset() != end) {
        throw new ModelFileException(
            "%s: tensor %s: begins at byte %d of the data (expected: %d, where another one ends)"
                .formatted(path, tensor.name(), tensor.offset() - dataStart, end - dataStart));
      }
      end += tensor.bytes();
      if (end < 0 || end > fileBytes) {
        throw new ModelFileException(
            "%s: tensor %s: %d bytes at %d of the data (expected: inside its %d bytes)"
                .formatted(
                    path,
                    tensor.name(),
                    tensor.bytes(),
                    tensor.offset() - dataStart,
                    fileBytes - dataStart));
      }
    }
    if (end != fileBytes) {
      throw new ModelFileException(
          "%s: %d bytes of data (expected: %d, where the last tensor ends)"
              .formatted(path, fileBytes - dataStart, end - dataStart));
    }
  }

  Path path() {
    return path;
  }

  /** All tensors by name, in the header's order. */
  Map<String, SafetensorsTensor> tensors() {
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
