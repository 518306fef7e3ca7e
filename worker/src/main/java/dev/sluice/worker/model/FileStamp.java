package dev.sluice.worker.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the file system says of a file, or of all files below a folder: when it is the same as
 * before, so is the content.
 *
 * @param text a line for each file
 * @param newest when the latest change was
 */
public record FileStamp(String text, Instant newest) {
  /** With the identity of each file, so that one put in another's place is noticed. */
  static FileStamp of(Path path) throws IOException {
    return of(path, true);
  }

  /** Without it: the same for copies that keep their times, as those from an archive. */
  public static FileStamp ofCopies(Path path) throws IOException {
    return of(path, false);
  }

  private static FileStamp of(Path path, boolean identity) throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(path)) {
      files = walk.filter(Files::isRegularFile).sorted().toList();
    }
    StringBuilder text = new StringBuilder();
    Instant newest = Instant.EPOCH;
    for (Path file : files) {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      Instant modified = attributes.lastModifiedTime().toInstant();
      newest = modified.isAfter(newest) ? modified : newest;
      text.append(path.relativize(file)).append(' ').append(attributes.size());
      text.append(' ').append(modified);
      if (identity) {
        text.append(' ').append(attributes.fileKey());
      }
      text.append('\n');
    }
    return new FileStamp(text.toString(), newest);
  }
}
