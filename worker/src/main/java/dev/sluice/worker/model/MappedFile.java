package dev.sluice.worker.model;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Maps files into memory. */
final class MappedFile {
  private MappedFile() {}

  /**
   * Maps a whole file, read-only.
   *
   * @param kind what it should be, for messages, such as {@code a GGUF file}
   * @throws ModelFileException if it cannot be read
   */
  static MemorySegment map(Path path, Arena arena, String kind) {
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      throw new ModelFileException(path + ": is no regular file (expected: " + kind + ")");
    }
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    } catch (NoSuchFileException e) {
      throw new ModelFileException(path + ": no such file (expected: " + kind + ")", e);
    } catch (IOException e) {
      throw new ModelFileException(path + ": cannot be read: " + e, e);
    }
  }
}
