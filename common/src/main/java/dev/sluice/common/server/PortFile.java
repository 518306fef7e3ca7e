package dev.sluice.common.server;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/** Tells other processes which ports a process chose: lines such as {@code grpc=9091}. */
public final class PortFile {
  private static final long POLL_MILLIS = 20;

  private PortFile() {}

  /** Writes all at once: a reader sees no file or a whole one. */
  public static void write(Path file, Map<String, Integer> ports) throws IOException {
    StringBuilder lines = new StringBuilder();
    new TreeMap<>(ports)
        .forEach((name, port) -> lines.append(name).append('=').append(port).append('\n'));
    Path target = file.toAbsolutePath();
    Path directory = target.getParent();
    if (directory == null) {
      throw new IOException(file + ": is a directory (expected: a file to write ports to)");
    }
    Path part = Files.createTempFile(directory, "." + target.getFileName(), ".part");
    try {
      Files.writeString(part, lines);
      try {
        Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException e) {
        Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
      }
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /** The ports by name; empty if there is no such file (yet). */
  public static Optional<Map<String, Integer>> read(Path file) throws IOException {
    Map<String, Integer> ports = new LinkedHashMap<>();
    try {
      for (String line : Files.readAllLines(file)) {
        int equals = line.indexOf('=');
        try {
          ports.put(line.substring(0, equals), Integer.valueOf(line.substring(equals + 1)));
        } catch (IndexOutOfBoundsException | NumberFormatException e) {
          throw new IOException(file + ": \"" + line + "\" (expected: name=port)", e);
        }
      }
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    return Optional.of(ports);
  }

  /**
   * Waits for another process to write its file.
   *
   * @param alive whether it may still do so; asked every few milliseconds
   * @return empty when the time is over or the process is gone without having written it
   */
  public static Optional<Map<String, Integer>> await(
      Path file, Duration timeout, BooleanSupplier alive) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (true) {
      boolean last = !alive.getAsBoolean() || System.nanoTime() - deadline >= 0;
      Optional<Map<String, Integer>> ports = read(file);
      if (ports.isPresent() || last) {
        return ports;
      }
      Thread.sleep(POLL_MILLIS);
    }
  }
}
