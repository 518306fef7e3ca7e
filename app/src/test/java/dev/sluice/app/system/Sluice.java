package dev.sluice.app.system;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/**
 * A process of the assembled distribution, as a user starts it. All processes that descend from it
 * carry a mark on their command lines, by which those left behind are found.
 */
final class Sluice implements AutoCloseable {
  private static final long LIMIT_SECONDS = 240;

  /** What a process did. */
  record Result(int code, String out, String err) {}

  private final String mark = "-Dsluice.test=" + UUID.randomUUID();
  private final Process process;
  private final Lines out;
  private final Lines err;

  private Sluice(Path distribution, Map<String, String> environment, List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(distribution.resolve("sluice").toString());
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    builder.environment().put("SLUICE_JAVA_OPTS", mark);
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    process = builder.start();
    out = new Lines(process.getInputStream());
    err = new Lines(process.getErrorStream());
  }

  static Path distribution() {
    return Path.of(System.getProperty("sluice.dist"));
  }

  static Sluice start(String... arguments) {
    return startOf(distribution(), Map.of(), Arrays.asList(arguments));
  }

  /** As a user starts it who has unpacked a distribution elsewhere. */
  static Sluice startOf(Path distribution, String... arguments) {
    return startOf(distribution, Map.of(), Arrays.asList(arguments));
  }

  /**
   * @param environment beside this process' own
   */
  static Sluice start(Map<String, String> environment, List<String> arguments) {
    return startOf(distribution(), environment, arguments);
  }

  private static Sluice startOf(
      Path distribution, Map<String, String> environment, List<String> arguments) {
    try {
      return new Sluice(distribution, environment, arguments);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs a command to its end, with nothing on its standard input. */
  static Result run(String... arguments) throws Exception {
    return runOf(distribution(), arguments);
  }

  /** As {@link #run}, from a distribution elsewhere. */
  static Result runOf(Path distribution, String... arguments) throws Exception {
    try (Sluice sluice = startOf(distribution, arguments)) {
      sluice.process.getOutputStream().close();
      return sluice.await();
    }
  }

  /** Waits for its end. */
  Result await() throws Exception {
    if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
      throw new TimeoutException("still running: " + out.text() + err.text());
    }
    return new Result(process.exitValue(), out.whole(), err.whole());
  }

  /** Waits for a line on standard output. */
  String awaitOut(Predicate<String> line) throws Exception {
    return out.await(line);
  }

  /** Waits for a line on standard error. */
  String awaitErr(Predicate<String> line) throws Exception {
    return err.await(line);
  }

  long pid() {
    return process.pid();
  }

  /** Sends a signal, such as {@code INT}. */
  void signal(String name) throws Exception {
    signal(process.pid(), name);
  }

  static void signal(long pid, String name) throws Exception {
    int code =
        new ProcessBuilder("kill", "-" + name, Long.toString(pid)).inheritIO().start().waitFor();
    if (code != 0) {
      throw new IOException("kill -" + name + " " + pid + " exited with " + code);
    }
  }

  /** Processes alive now that this one started, directly or not, and itself. */
  List<ProcessHandle> family() {
    return ProcessHandle.allProcesses()
        .filter(p -> p.info().commandLine().map(line -> line.contains(mark)).orElse(false))
        .toList();
  }

  /** Waits until nobody of the {@link #family} is alive. */
  void awaitNobodyLeft() throws Exception {
    for (ProcessHandle p : family()) {
      p.onExit().get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }
  }

  @Override
  public void close() {
    family().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  /** Reads a stream on a thread of its own. */
  private static final class Lines {
    private final StringBuilder text = new StringBuilder(); // guarded by this
    private final CompletableFuture<String> end = new CompletableFuture<>();

    Lines(InputStream stream) {
      Thread.ofVirtual().start(() -> read(stream));
    }

    private void read(InputStream stream) {
      try (BufferedReader reader =
          new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
        String line;
        while ((line = reader.readLine()) != null) {
          add(line);
        }
      } catch (IOException e) {
        add("(" + e + ")");
      }
      end.complete(text());
      synchronized (this) {
        notifyAll();
      }
    }

    private synchronized void add(String line) {
      text.append(line).append('\n');
      notifyAll();
    }

    synchronized String text() {
      return text.toString();
    }

    String whole() throws Exception {
      return end.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    synchronized String await(Predicate<String> wanted) throws Exception {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
      while (true) {
        List<String> found = text.toString().lines().filter(wanted).toList();
        if (!found.isEmpty()) {
          return found.getFirst();
        }
        long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (left <= 0 || end.isDone()) {
          throw new TimeoutException("no such line in:\n" + text);
        }
        wait(left);
      }
    }
  }
}
