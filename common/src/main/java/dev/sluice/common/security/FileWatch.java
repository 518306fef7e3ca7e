package dev.sluice.common.security;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads files again when they change: looks every few seconds, which also sees the links that
 * Kubernetes moves. What cannot be used is told once, and what was there before stays in use.
 *
 * <p>Threading: one thread adds; reloading happens on one daemon thread of its own, which starts
 * with the first file.
 */
final class FileWatch implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(FileWatch.class);
  private static final Duration PERIOD = Duration.ofSeconds(5);

  private final List<Watched> all = new CopyOnWriteArrayList<>();
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("security-files").factory());

  /**
   * Loads now, and again after each change.
   *
   * @param load throws {@link SecurityFileException} if the files cannot be used; takes effect all
   *     at once or not at all
   */
  void follow(List<Path> files, Runnable load) {
    Watched watched = new Watched(files, load);
    load.run();
    if (all.isEmpty()) {
      ScheduledFuture<?> _ =
          thread.scheduleWithFixedDelay(
              this::look, PERIOD.toMillis(), PERIOD.toMillis(), TimeUnit.MILLISECONDS);
    }
    all.add(watched);
  }

  /** One look at all files. */
  void look() {
    all.forEach(Watched::look);
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }

  /** Some files that are read together. Threading: the caller's, then the watching thread. */
  private static final class Watched {
    private final List<Path> files;
    private final Runnable load;
    private List<Object> seen;

    Watched(List<Path> files, Runnable load) {
      this.files = List.copyOf(files);
      this.load = load;
      seen = stamps();
    }

    void look() {
      List<Object> now = stamps();
      if (now.equals(seen)) {
        return;
      }
      seen = now;
      try {
        load.run();
        log.info("read again after a change: {}", files);
      } catch (RuntimeException e) {
        log.warn("a change is not used, what was there before stays: {}", e.getMessage());
      }
    }

    private List<Object> stamps() {
      List<Object> stamps = new ArrayList<>();
      for (Path file : files) {
        try {
          BasicFileAttributes a = Files.readAttributes(file, BasicFileAttributes.class);
          stamps.add(List.of(a.lastModifiedTime(), a.size(), String.valueOf(a.fileKey())));
        } catch (IOException e) {
          stamps.add(String.valueOf(e.getMessage()));
        }
      }
      return stamps;
    }
  }
}
