package dev.sluice.worker.runner;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;

/**
 * A file of weights as sessions take them:
 *
 * <pre>
 * content    contentBytes; ONNX Runtime maps each tensor where the graph says that it is
 * magic      8 bytes
 * key        32 bytes: what the content was made from
 * length     8 bytes, little-endian: contentBytes
 * checksum   8 bytes, little-endian: CRC-32C of the CRC-32C of each {@value #PIECE} bytes
 * </pre>
 *
 * <p>Written and read as a file, not mapped: a disk that is full or fails is an exception then, and
 * not a signal.
 */
final class WeightsFile {
  private static final byte[] MAGIC = {'S', 'L', 'U', 'I', 'C', 'E', 'W', '1'};
  private static final int KEY_BYTES = 32;
  private static final int FOOTER_BYTES = MAGIC.length + KEY_BYTES + 2 * Long.BYTES;
  private static final int PIECE = 4 << 20;
  private static final int BUFFER = 1 << 18;

  /** Writes the content, by position and from any thread. */
  @FunctionalInterface
  interface Content {
    void writeTo(FileChannel channel) throws IOException;
  }

  private WeightsFile() {}

  /** Bytes of a file with so much content. */
  static long bytes(long contentBytes) {
    return contentBytes + FOOTER_BYTES;
  }

  /**
   * Writes a new file; it is on the disk when this returns.
   *
   * @param key SHA-256, in hex
   */
  static void write(Path file, String key, long contentBytes, Content content) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.CREATE_NEW)) {
      content.writeTo(channel);
      ByteBuffer footer = footer(key, contentBytes, checksum(channel, contentBytes));
      writeFully(channel, contentBytes, footer);
      channel.force(true);
    }
  }

  /** Writes a segment of any size. */
  static void writeFully(FileChannel channel, long position, MemorySegment segment)
      throws IOException {
    for (long at = 0; at < segment.byteSize(); at += PIECE) {
      long bytes = Math.min(PIECE, segment.byteSize() - at);
      writeFully(channel, position + at, segment.asSlice(at, bytes).asByteBuffer());
    }
  }

  private static void writeFully(FileChannel channel, long position, ByteBuffer buffer)
      throws IOException {
    while (buffer.hasRemaining()) {
      position += channel.write(buffer, position);
    }
  }

  /** What is wrong with a file, if anything: it is not what {@link #write} wrote for that key. */
  static Optional<String> damage(Path file, String key, long contentBytes) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long expected = bytes(contentBytes);
      if (channel.size() != expected) {
        return Optional.of("%d bytes (expected: %d)".formatted(channel.size(), expected));
      }
      ByteBuffer footer = ByteBuffer.allocate(FOOTER_BYTES);
      readFully(channel, contentBytes, footer);
      byte[] made = footer(key, contentBytes, 0).array();
      int keyEnd = FOOTER_BYTES - Long.BYTES;
      if (!Arrays.equals(made, 0, keyEnd, footer.array(), 0, keyEnd)) {
        return Optional.of("not a file of these weights");
      }
      long stored = footer.order(ByteOrder.LITTLE_ENDIAN).getLong(keyEnd);
      long actual = checksum(channel, contentBytes);
      return actual == stored
          ? Optional.empty()
          : Optional.of("checksum %08x (expected: %08x)".formatted(actual, stored));
    } catch (IOException e) {
      return Optional.of(e.toString());
    }
  }

  private static ByteBuffer footer(String key, long contentBytes, long checksum) {
    byte[] keyBytes = HexFormat.of().parseHex(key);
    if (keyBytes.length != KEY_BYTES) {
      throw new IllegalArgumentException(
          "key: " + keyBytes.length + " bytes (expected: " + KEY_BYTES + ")");
    }
    return ByteBuffer.allocate(FOOTER_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(MAGIC)
        .put(keyBytes)
        .putLong(contentBytes)
        .putLong(checksum)
        .flip();
  }

  private static long checksum(FileChannel channel, long contentBytes) throws IOException {
    int pieces = Math.toIntExact((contentBytes + PIECE - 1) / PIECE);
    int[] checksums = new int[pieces];
    try {
      IntStream.range(0, pieces)
          .parallel()
          .forEach(i -> checksums[i] = pieceChecksum(channel, (long) i * PIECE, contentBytes));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    CRC32C whole = new CRC32C();
    for (int checksum : checksums) {
      ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      whole.update(bytes.putInt(checksum).flip());
    }
    return whole.getValue();
  }

  private static int pieceChecksum(FileChannel channel, long begin, long contentBytes) {
    CRC32C crc = new CRC32C();
    long end = Math.min(begin + PIECE, contentBytes);
    try (Arena arena = Arena.ofConfined()) {
      ByteBuffer buffer = arena.allocate(BUFFER).asByteBuffer();
      for (long at = begin; at < end; at += buffer.limit()) {
        buffer.clear().limit((int) Math.min(BUFFER, end - at));
        readFully(channel, at, buffer);
        crc.update(buffer.flip());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return (int) crc.getValue();
  }

  private static void readFully(FileChannel channel, long position, ByteBuffer buffer)
      throws IOException {
    while (buffer.hasRemaining()) {
      int n = channel.read(buffer, position);
      if (n < 0) {
        throw new IOException("ends at " + position);
      }
      position += n;
    }
  }
}
