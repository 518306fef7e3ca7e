package dev.sluice.worker.model;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Files that are read as a whole, up to a size. */
final class SmallFile {
  private SmallFile() {}

  /**
   * Reads a file.
   *
   * @throws ModelFileException if it cannot be read or is larger
   */
  private static byte[] read(Path file, int mostBytes) {
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new ModelFileException(file + ": is no regular file (expected: a text)");
    }
    try (InputStream in = Files.newInputStream(file)) {
      if (Files.size(file) > mostBytes) {
        throw new ModelFileException(
            "%s: %d bytes (expected: at most %d)".formatted(file, Files.size(file), mostBytes));
      }
      return in.readNBytes(mostBytes);
    } catch (NoSuchFileException e) {
      throw new ModelFileException(file + ": no such file", e);
    } catch (IOException e) {
      throw new ModelFileException(file + ": cannot be read: " + e, e);
    }
  }

  /** Reads a text in UTF-8. */
  static String text(Path file, int mostBytes) {
    return decode(file, read(file, mostBytes));
  }

  /** Decodes UTF-8 and nothing else: parsers that guess take damaged files for other encodings. */
  static String decode(Path file, byte[] content) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
    } catch (CharacterCodingException e) {
      throw new ModelFileException(file + ": is not UTF-8 (expected: a text)", e);
    }
  }
}
