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
  static byte[] read(Path file, int mostBytes) {
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
    byte[] content = read(file, mostBytes);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
    } catch (CharacterCodingException e) {
      throw new ModelFileException(file + ": is not UTF-8 (expected: a text)", e);
    }
  }
}
