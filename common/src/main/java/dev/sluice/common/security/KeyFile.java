package dev.sluice.common.security;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * A text file with one key a line; empty lines and those that begin with # say nothing.
 *
 * <p>Threading: none of its own; one process writes at a time.
 */
public final class KeyFile {
  private static final String HEADER = "# sha256(key) id tenant permissions\n";

  private KeyFile() {}

  /**
   * All keys.
   *
   * @param setting for messages: {@code auth.keys}
   * @throws SecurityFileException naming the line that is wrong
   */
  public static List<ApiKey> read(String setting, Path file) {
    List<ApiKey> keys = new ArrayList<>();
    int number = 0;
    for (String line : SecretFiles.read(setting, file).split("\n", -1)) {
      number++;
      if (isKey(line)) {
        try {
          keys.add(ApiKey.parse(line));
        } catch (IllegalArgumentException e) {
          throw new SecurityFileException(
              setting + ": " + file + ":" + number + ": " + e.getMessage(), e);
        }
      }
    }
    return keys;
  }

  private static boolean isKey(String line) {
    return !line.isBlank() && !line.strip().startsWith("#");
  }

  /** Appends a key; a new file can be read by its owner only. */
  public static void append(Path file, ApiKey key) {
    try {
      if (Files.notExists(file)) {
        Files.createFile(file);
        ownersOnly(file);
        Files.writeString(file, HEADER);
      }
      Files.writeString(file, key.line() + "\n", StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be written: " + e.getMessage(), e);
    }
  }

  /**
   * Takes keys out; readers see the old file or the new one.
   *
   * @return how many
   */
  public static int remove(Path file, Predicate<ApiKey> which) {
    List<String> kept = new ArrayList<>();
    int removed = 0;
    for (String line : SecretFiles.read("--file", file).stripTrailing().split("\n", -1)) {
      if (isKey(line) && which.test(ApiKey.parse(line))) {
        removed++;
      } else {
        kept.add(line + "\n");
      }
    }
    if (removed > 0) {
      replace(file, String.join("", kept));
    }
    return removed;
  }

  private static void replace(Path file, String text) {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try {
      Files.deleteIfExists(part);
      Files.createFile(part);
      ownersOnly(part);
      Files.writeString(part, text);
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be written: " + e.getMessage(), e);
    }
  }

  private static void ownersOnly(Path file) throws IOException {
    if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }
  }
}
