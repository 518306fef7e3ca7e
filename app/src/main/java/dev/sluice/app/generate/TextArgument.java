package dev.sluice.app.generate;

import dev.sluice.app.cli.UsageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** An argument that is a text, or {@code @FILE} for what a file holds. */
final class TextArgument {
  private TextArgument() {}

  static String read(String argument) {
    if (!argument.startsWith("@")) {
      return argument;
    }
    Path file = Path.of(argument.substring(1));
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UsageException("cannot read " + file + ": " + e, e);
    }
  }
}
