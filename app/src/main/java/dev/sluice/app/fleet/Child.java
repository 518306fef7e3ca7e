package dev.sluice.app.fleet;

import dev.sluice.app.cli.FailedException;
import dev.sluice.common.server.PortFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * One child process: its output goes to a log file, its ports come from a port file. Its standard
 * input is a pipe that stays open as long as this object is reachable and this process lives: its
 * end tells the child that the parent is gone.
 *
 * <p>Threading: immutable; safe.
 */
final class Child {
  private static final int LOG_TAIL_LINES = 12;

  private final String name;
  private final Process process;
  private final Path log;
  private final Path portFile;

  private Child(String name, Process process, Path log, Path portFile) {
    this.name = name;
    this.process = process;
    this.log = log;
    this.portFile = portFile;
  }

  /**
   * Starts a process.
   *
   * @param directory where its log and its port file are
   */
  static Child start(String name, List<String> command, Path directory) {
    Path log = directory.resolve(name + ".log");
    Path portFile = portFile(directory, name);
    try {
      Files.deleteIfExists(portFile);
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
              .start();
      return new Child(name, process, log, portFile);
    } catch (IOException e) {
      throw new FailedException("cannot start " + name + ": " + e.getMessage(), e);
    }
  }

  /** The file into which a child of this name is to write its ports. */
  static Path portFile(Path directory, String name) {
    return directory.resolve(name + ".ports");
  }

  long pid() {
    return process.pid();
  }

  /**
   * Waits for the ports that it listens on.
   *
   * @throws ChildFailedException if it ends first, or takes too long
   */
  Map<String, Integer> awaitPorts(Duration timeout) throws InterruptedException {
    try {
      return PortFile.await(portFile, timeout, process::isAlive)
          .orElseThrow(() ->
              process.isAlive()
                  ? new ChildFailedException(
                      name, 1, "does not listen after " + timeout.toSeconds() + " s", logTail())
                  : failure());
    } catch (IOException e) {
      throw new FailedException(portFile + ": " + e.getMessage(), e);
    }
  }

  /** Waits for its end and returns its exit status. */
  int awaitEnd() throws InterruptedException {
    return process.waitFor();
  }

  /** What to say about a child that ended by itself. */
  ChildFailedException failure() {
    int status = process.exitValue();
    String how = status > 128 ? "was killed by signal " + (status - 128) : "exited with " + status;
    return new ChildFailedException(name, status, how, logTail());
  }

  /** Asks it to end, and ends it when the grace is over or this thread is interrupted. */
  void stop(Duration grace) {
    process.destroy();
    try {
      if (process.waitFor(grace.toMillis(), TimeUnit.MILLISECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    process.destroyForcibly();
    process.onExit().join();
  }

  /** Asks it to end. */
  void terminate() {
    process.destroy();
  }

  /** The last lines of its output, without what is no news. */
  String logTail() {
    try {
      List<String> lines =
          new String(Files.readAllBytes(log), StandardCharsets.UTF_8)
              .lines()
              .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
              .toList();
      return String.join(
          "\n", lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size()));
    } catch (IOException e) {
      return "(" + log + " cannot be read: " + e.getMessage() + ")";
    }
  }
}
