package dev.sluice.common.security;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads files of the configuration; what is wrong is told without their content. */
final class SecretFiles {
  private static final long MOST_BYTES = 16 << 20;

  private SecretFiles() {}

  /**
   * The text of a file.
   *
   * @param setting for messages: {@code tls.certificate}
   */
  static String read(String setting, Path file) {
    try {
      long bytes = Files.size(file);
      if (bytes > MOST_BYTES) {
        throw new SecurityFileException(
            setting + ": " + file + ": " + bytes + " bytes (expected: at most 16 MiB)");
      }
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      throw new SecurityFileException(setting + ": " + file + ": no such file", e);
    } catch (AccessDeniedException e) {
      throw new SecurityFileException(setting + ": " + file + ": may not be read", e);
    } catch (CharacterCodingException e) {
      throw new SecurityFileException(setting + ": " + file + ": not text in UTF-8", e);
    } catch (IOException e) {
      throw new SecurityFileException(
          setting + ": " + file + ": cannot be read: " + e.getMessage(), e);
    }
  }
}
