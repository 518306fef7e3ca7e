package dev.sluice.worker.model;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/** Fetches a file over HTTP and goes on where an earlier try was cut off. */
final class WebDownload {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(15);
  private static final Duration STALL_TIMEOUT = Duration.ofSeconds(60);
  private static final int MAX_TRIES = 5;

  private static final int OK = 200;
  private static final int PARTIAL = 206;
  private static final int RANGE_NOT_SATISFIABLE = 416;

  private final Duration stallTimeout;

  WebDownload() {
    this(STALL_TIMEOUT);
  }

  /**
   * For tests.
   *
   * @param stallTimeout a download that brings nothing for so long is cut off
   */
  WebDownload(Duration stallTimeout) {
    this.stallTimeout = stallTimeout;
  }

  /**
   * Fetches a file.
   *
   * @param target may hold the beginning of the file; holds all of it afterwards
   * @param bytes size of the file
   * @throws IOException if it cannot be had; what has come is kept for the next try
   */
  void fetch(ModelSource.Web source, Path target, long bytes, Progress progress)
      throws IOException, InterruptedException {
    try (HttpClient client =
        HttpClient.newBuilder()
            .connectTimeout(CONNECT_TIMEOUT)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .build()) {
      for (int left = MAX_TRIES - 1; ; left--) {
        long before = size(target);
        try {
          fetchRest(client, source, target, bytes, progress);
          return;
        } catch (IOException e) {
          // A try that changed nothing would fail again; so does a full disk.
          if (left == 0 || size(target) == before) {
            throw e;
          }
        }
      }
    }
  }

  private void fetchRest(
      HttpClient client, ModelSource.Web source, Path target, long bytes, Progress progress)
      throws IOException, InterruptedException {
    long there = size(target);
    if (there > bytes) {
      Files.delete(target); // not the beginning of this file
      there = 0;
    }
    if (there == bytes) {
      return;
    }
    HttpRequest.Builder request = HttpRequest.newBuilder(source.url()).timeout(stallTimeout);
    if (there > 0) {
      request.header("Range", "bytes=" + there + "-");
    }
    HttpResponse<InputStream> response =
        client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    try (InputStream body = response.body()) {
      if (there > 0 && response.statusCode() == RANGE_NOT_SATISFIABLE) {
        Files.delete(target); // the server's file ends before: start over
      }
      long from = start(response, there);
      StandardOpenOption how =
          from == 0 ? StandardOpenOption.TRUNCATE_EXISTING : StandardOpenOption.APPEND;
      try (OutputStream out =
              Files.newOutputStream(
                  target, StandardOpenOption.CREATE, StandardOpenOption.WRITE, how);
          StallGuard guarded = new StallGuard(body, stallTimeout)) {
        Copy.all(guarded, out, from, bytes, "downloading " + source.url(), progress);
      }
    }
    if (size(target) < bytes) {
      throw new IOException(
          "%s: ended after %d bytes (expected: %d)".formatted(source.url(), size(target), bytes));
    }
  }

  /** Byte at which the response begins. */
  private static long start(HttpResponse<?> response, long asked) throws IOException {
    String range = response.headers().firstValue("Content-Range").orElse("");
    if (response.statusCode() == OK) {
      return 0;
    }
    if (response.statusCode() == PARTIAL && range.startsWith("bytes " + asked + "-")) {
      return asked;
    }
    throw new IOException(
        "%s: HTTP status %d%s (expected: %d%s)"
            .formatted(
                response.uri(),
                response.statusCode(),
                range.isEmpty() ? "" : ", range '" + range + "'",
                asked > 0 ? PARTIAL : OK,
                asked > 0 ? ", range from byte " + asked : ""));
  }

  private static long size(Path file) throws IOException {
    return Files.exists(file) ? Files.size(file) : 0;
  }
}
