package dev.sluice.app.system;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a Java process holds at one moment, after a full collection of its heap. Linux.
 *
 * @param heap bytes that live
 * @param memory bytes of its own in RAM: heap, native, threads; not the files it maps
 * @param files open descriptors
 */
record Vitals(long heap, long memory, int files, int threads) {
  private static final long JCMD_SECONDS = 60;
  private static final long KIB = 1024;
  private static final double MIB = 1 << 20;
  private static final Pattern USED = Pattern.compile("used (\\d+)K");

  static Vitals of(long pid) throws IOException, InterruptedException {
    String _ = jcmd(pid, "GC.run");
    long heap = 0;
    // one line for each generation; what follows is outside the heap
    String[] info = jcmd(pid, "GC.heap_info").split("Metaspace", 2);
    Matcher used = USED.matcher(info[0]);
    while (used.find()) {
      heap += Long.parseLong(used.group(1)) * KIB;
    }
    if (heap == 0) {
      throw new IOException("no heap in: " + info[0]);
    }
    Path process = Path.of("/proc", Long.toString(pid));
    String status = Files.readString(process.resolve("status"));
    try (Stream<Path> files = Files.list(process.resolve("fd"))) {
      return new Vitals(
          heap,
          field(status, "RssAnon") * KIB,
          (int) files.count(),
          (int) field(status, "Threads"));
    }
  }

  private static long field(String status, String name) {
    Matcher line = Pattern.compile("^" + name + ":\\s+(\\d+)", Pattern.MULTILINE).matcher(status);
    if (!line.find()) {
      throw new IllegalStateException("no " + name + " in:\n" + status);
    }
    return Long.parseLong(line.group(1));
  }

  private static String jcmd(long pid, String command) throws IOException, InterruptedException {
    Path tool = Path.of(System.getProperty("java.home"), "bin", "jcmd");
    Process process =
        new ProcessBuilder(tool.toString(), Long.toString(pid), command)
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(JCMD_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IOException("jcmd " + pid + " " + command + ": " + output);
    }
    return output;
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "heap %.1f MiB, memory %.1f MiB, %d files, %d threads",
        heap / MIB,
        memory / MIB,
        files,
        threads);
  }
}
