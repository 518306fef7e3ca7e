package dev.sluice.app.doctor;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Whether there is an NVIDIA GPU, and what a worker would need to use it. */
final class GpuChecks {
  /** What ONNX Runtime's CUDA operators are linked with (docs/cuda.md). */
  private static final List<String> LIBRARIES =
      List.of("libcudart.so.12", "libcublas.so.12", "libcublasLt.so.12", "libcurand.so.10");

  private static final List<String> USUAL_FOLDERS =
      List.of(
          "usr/lib/x86_64-linux-gnu",
          "usr/lib/aarch64-linux-gnu",
          "usr/lib64",
          "usr/local/cuda/lib64",
          "usr/local/cuda/targets/x86_64-linux/lib");

  private final Path root;
  private final String libraryPath;

  /**
   * @param root has {@code dev}, {@code proc} and {@code usr}
   * @param libraryPath folders that are searched first, as in {@code LD_LIBRARY_PATH}
   */
  GpuChecks(Path root, String libraryPath) {
    this.root = root;
    this.libraryPath = libraryPath;
  }

  /**
   * @param cudaBuild whether the distribution has ONNX Runtime with CUDA
   */
  Finding gpu(boolean cudaBuild) {
    int count = devices();
    if (count == 0) {
      return Finding.ok("gpu", "none found; workers run on processors");
    }
    String detail = count + (count == 1 ? " NVIDIA GPU" : " NVIDIA GPUs");
    if (!cudaBuild) {
      return Finding.warning(
          "gpu", detail + ", but this build is for processors", "build with mvn -Pcuda");
    }
    List<String> missing = new ArrayList<>(LIBRARIES);
    missing.add("libcuda.so.1"); // the driver's
    missing.removeIf(this::isHere);
    return missing.isEmpty()
        ? Finding.ok("gpu", detail + ", driver and CUDA 12 are here: --device cuda:0")
        : Finding.warning(
            "gpu",
            detail + "; not found: " + String.join(", ", missing),
            "install the driver and CUDA 12, or name their folders in LD_LIBRARY_PATH");
  }

  /** Character devices nvidia0, nvidia1, and so on. */
  private int devices() {
    int count = 0;
    try (DirectoryStream<Path> devices =
        Files.newDirectoryStream(root.resolve("dev"), "nvidia[0-9]*")) {
      for (Path _ : devices) {
        count++;
      }
    } catch (IOException e) {
      return 0; // not Linux
    }
    return count;
  }

  private boolean isHere(String library) {
    for (String folder : libraryPath.split(":", -1)) {
      if (!folder.isEmpty() && Files.exists(Path.of(folder, library))) {
        return true;
      }
    }
    return USUAL_FOLDERS.stream()
        .anyMatch(folder -> Files.exists(root.resolve(folder).resolve(library)));
  }
}
