package dev.sluice.worker.model;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Remembers the content hashes of models, since to hash one takes longer than to load it. A hash is
 * good as long as the files have the same sizes, times and identities.
 *
 * <pre>
 * folder/NAME   a line with the hash, then the {@link FileStamp} of the model's files
 * </pre>
 *
 * <p>Threading: safe, also among processes; whoever comes last has the say.
 */
public final class ContentHashes {
  private static final Logger log = LoggerFactory.getLogger(ContentHashes.class);
  private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");

  /** A file that changed this short ago may change again within the clock's grain. */
  private static final Duration SETTLED = Duration.ofSeconds(2);

  private final Path folder;
  private final InstantSource clock;

  /**
   * @param folder where hashes are remembered; made when needed
   */
  public ContentHashes(Path folder, InstantSource clock) {
    this.folder = folder;
    this.clock = clock;
  }

  /**
   * The hash of a model, remembered or else computed.
   *
   * @param model a file, or a folder of files
   */
  public String get(Path model, Supplier<String> compute) {
    try {
      Path memo = folder.resolve(name(model.toRealPath()));
      FileStamp stamp = FileStamp.of(model);
      List<String> known = lines(memo);
      if (!known.isEmpty()
          && known.subList(1, known.size()).equals(stamp.text().lines().toList())) {
        return known.getFirst();
      }
      Instant before = clock.instant();
      String hash = compute.get();
      boolean settled = stamp.newest().isBefore(before.minus(SETTLED));
      if (settled && FileStamp.of(model).equals(stamp)) {
        remember(memo, hash + "\n" + stamp.text());
      }
      return hash;
    } catch (IOException e) {
      throw new ModelFileException(model + ": cannot be read: " + e, e);
    }
  }

  private static String name(Path model) {
    byte[] path = model.toString().getBytes(StandardCharsets.UTF_8);
    return Sha256.of(MemorySegment.ofArray(path)).substring(0, 32);
  }

  private static List<String> lines(Path memo) {
    try {
      List<String> lines = Files.readAllLines(memo);
      return lines.isEmpty() || !HASH.matcher(lines.getFirst()).matches() ? List.of() : lines;
    } catch (IOException e) {
      return List.of(); // not there, or not ours
    }
  }

  private void remember(Path memo, String text) {
    try {
      Files.createDirectories(folder);
      Path part = Files.createTempFile(folder, "hash-", ".part");
      try {
        Files.writeString(part, text);
        Files.move(part, memo, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      log.warn(
          "the model's hash cannot be kept in {}: {}; it is computed at every start",
          folder,
          e.toString());
    }
  }
}
