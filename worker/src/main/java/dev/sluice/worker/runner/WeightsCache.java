package dev.sluice.worker.runner;

import dev.sluice.common.digest.Digests;
import dev.sluice.worker.graph.DecoderGraph;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.graph.Weight;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.FileStamp;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps models' weights as sessions take them, so that they are converted only once and processes
 * share the memory of those that are used as they are in the file.
 *
 * <pre>
 * folder/lock                 shared while a file is being taken into use, exclusive while made
 * folder/MODEL-MODE/CODE-KEY/ CODE: our code; KEY: all that the content depends on
 *   weights                   a {@link WeightsFile}; it gets this name when it is whole
 *   weights*.part             on its way
 *   used                      when it was last taken into use
 * </pre>
 *
 * <p>Making a file deletes those of the same model and mode that other code made, and those that
 * nobody used for {@value #UNUSED_DAYS} days. Files in use stay readable without their name.
 *
 * <p>Threading: safe, also among processes; one {@link Lease} at a time in a process.
 */
public final class WeightsCache {
  private static final Logger log = LoggerFactory.getLogger(WeightsCache.class);
  private static final String PART = ".part";
  private static final String USED = "used";
  private static final long UNUSED_DAYS = 30;
  private static final int NAME_DIGITS = 16;

  /** A file lock is the whole process's, so threads need one among themselves. */
  private static final ReentrantLock LEASING = new ReentrantLock();

  private final Path folder;
  private final InstantSource clock;

  /**
   * @param folder where the files are; made when needed
   */
  public WeightsCache(Path folder, InstantSource clock) {
    this.folder = folder;
    this.clock = clock;
  }

  /**
   * A file that nobody deletes.
   *
   * <p>Threading: closed by the thread that took it.
   */
  static final class Lease implements AutoCloseable {
    private final Path folder;
    private final Optional<FileChannel> lock;

    private Lease(Path folder, Optional<FileChannel> lock) {
      this.folder = folder;
      this.lock = lock;
    }

    /** The folder that the file is in; its name is {@link DecoderGraph#WEIGHTS}. */
    Path folder() {
      return folder;
    }

    @Override
    public void close() {
      lock.ifPresent(WeightsCache::close);
      LEASING.unlock();
    }
  }

  /**
   * The weights' file, which is made if it is not there or damaged.
   *
   * @throws IOException if it cannot be
   * @throws dev.sluice.worker.model.ModelFileException if a weight is missing
   */
  Lease take(Checkpoint checkpoint, Quantization quantization, List<Weight> weights)
      throws IOException {
    String code = hash(ourCode());
    String key = hash(description(checkpoint, quantization, weights) + code);
    Path entry =
        folder
            .resolve(prefix(checkpoint.contentHash()) + "-" + quantization.label())
            .resolve(prefix(code) + "-" + prefix(key));
    WeightsLayout layout = new WeightsLayout(weights);
    LEASING.lock();
    try {
      Optional<FileChannel> lock = lock(/* shared= */ true);
      if (!good(entry, key, layout)) {
        lock.ifPresent(WeightsCache::close);
        make(checkpoint, entry, key, layout);
        lock = lock(/* shared= */ true);
        if (!Files.exists(file(entry))) {
          throw new IOException(file(entry) + ": deleted by another process");
        }
      }
      touch(entry.resolve(USED));
      return new Lease(entry, lock);
    } catch (IOException | RuntimeException | Error e) {
      LEASING.unlock();
      throw e;
    }
  }

  private static Path file(Path entry) {
    return entry.resolve(DecoderGraph.WEIGHTS);
  }

  private static boolean good(Path entry, String key, WeightsLayout layout) {
    if (!Files.exists(file(entry))) {
      return false;
    }
    Optional<String> damage = WeightsFile.damage(file(entry), key, layout.bytes());
    damage.ifPresent(d -> log.warn("{}: {}; it is made again", file(entry), d));
    return damage.isEmpty();
  }

  private void make(Checkpoint checkpoint, Path entry, String key, WeightsLayout layout)
      throws IOException {
    Files.createDirectories(entry);
    Optional<FileChannel> lock = lock(/* shared= */ false);
    try {
      if (WeightsFile.damage(file(entry), key, layout.bytes()).isEmpty()) {
        return; // another process has made it meanwhile
      }
      Files.deleteIfExists(file(entry));
      deleteOthers(entry);
      checkSpace(layout);
      long start = System.nanoTime();
      Path part = entry.resolve(DecoderGraph.WEIGHTS + "-" + ProcessHandle.current().pid() + PART);
      try {
        WeightsFile.write(
            part, key, layout.bytes(), channel -> WeightLoader.write(checkpoint, layout, channel));
        Files.move(part, file(entry), StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(part);
      }
      checkpoint.unload(); // the session that is made next needs the room
      log.info(
          "converted the weights in {} ms; kept in {} for the next start",
          (System.nanoTime() - start) / 1_000_000,
          entry);
    } finally {
      lock.ifPresent(WeightsCache::close);
    }
  }

  private void checkSpace(WeightsLayout layout) throws IOException {
    long usable = Files.getFileStore(folder).getUsableSpace();
    long needed = WeightsFile.bytes(layout.bytes());
    if (usable < needed) {
      throw new IOException(
          "%s: %d bytes are free (expected: at least %d)".formatted(folder, usable, needed));
    }
  }

  /** Holding the lock exclusively. */
  private void deleteOthers(Path entry) throws IOException {
    String code = entry.getFileName().toString().substring(0, NAME_DIGITS);
    Instant unused = clock.instant().minus(Duration.ofDays(UNUSED_DAYS));
    for (Path family : list(folder)) {
      boolean mine = family.equals(entry.getParent());
      for (Path other : list(family)) {
        boolean otherCode = !other.getFileName().toString().startsWith(code);
        if ((mine && otherCode) || (!other.equals(entry) && lastUsed(other).isBefore(unused))) {
          log.info("deleting {}: made by another version, or not used for long", other);
          for (Path file : list(other)) {
            Files.deleteIfExists(file);
          }
          Files.deleteIfExists(other);
        }
      }
    }
    for (Path file : list(entry)) {
      if (file.toString().endsWith(PART)) {
        Files.deleteIfExists(file); // of a process that ended before it was whole
      }
    }
  }

  private static List<Path> list(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> paths = Files.list(folder)) {
      return paths.sorted(Comparator.naturalOrder()).toList();
    }
  }

  /** A folder that is only to be read has no lock, and needs none: nobody deletes in it. */
  private Optional<FileChannel> lock(boolean shared) {
    try {
      Files.createDirectories(folder);
      FileChannel channel =
          FileChannel.open(
              folder.resolve("lock"),
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      try {
        FileLock _ = channel.lock(0, Long.MAX_VALUE, shared);
        return Optional.of(channel);
      } catch (IOException | RuntimeException e) {
        close(channel);
        throw e;
      }
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static void close(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      log.debug("the lock's file cannot be closed", e);
    }
  }

  /** In a file of its own: weights in a layer of an image must not be copied for it. */
  private void touch(Path used) {
    try {
      if (!Files.exists(used)) {
        Files.createFile(used);
      }
      Files.setLastModifiedTime(used, FileTime.from(clock.instant()));
    } catch (IOException e) {
      log.debug("{} cannot be written", used, e);
    }
  }

  private static Instant lastUsed(Path entry) throws IOException {
    Path used = entry.resolve(USED);
    return Files.getLastModifiedTime(Files.exists(used) ? used : entry).toInstant();
  }

  /** Changes with all that the content depends on, but for the code. */
  private static String description(
      Checkpoint checkpoint, Quantization quantization, List<Weight> weights) {
    StringBuilder text = new StringBuilder();
    text.append(checkpoint.contentHash()).append('\n').append(quantization.label()).append('\n');
    for (Weight weight : weights) {
      text.append(weight).append(' ').append(weight.initializers()).append('\n');
    }
    return text.toString();
  }

  private static String hash(String text) {
    return HexFormat.of().formatHex(Digests.sha256(text));
  }

  private static String prefix(String hash) {
    return hash.substring(0, NAME_DIGITS);
  }

  /** The jar that has the code which converts, or the folder of classes in a test. */
  private static String ourCode() {
    try {
      Path code = Path.of(Weight.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      return FileStamp.ofCopies(code).text();
    } catch (URISyntaxException | IOException e) {
      throw new IllegalStateException("where this code comes from cannot be read", e);
    }
  }
}
