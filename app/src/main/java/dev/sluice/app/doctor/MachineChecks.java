package dev.sluice.app.doctor;

import dev.sluice.worker.runner.MemoryLimit;
import java.io.IOException;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;

/** Java, processors, memory, files: what a process gets from its machine. */
final class MachineChecks {
  /** The version that Sluice is compiled for. */
  private static final int JAVA = 25;

  private static final double GIB = 1024.0 * 1024 * 1024;

  /** The default model in int8 with a small cache. */
  private static final double LEAST_GIB = 0.5;

  private static final double GOOD_GIB = 2;

  /** Connections of clients and workers, jars and the model's files. */
  private static final long GOOD_FILES = 4096;

  /** What the kernels and ONNX Runtime make use of on x86, best first. */
  private static final List<String> VECTORS =
      List.of("avx512_vnni", "avx_vnni", "avx512bw", "avx2", "fma");

  private final Path root;

  /**
   * @param root has {@code proc}
   */
  MachineChecks(Path root) {
    this.root = root;
  }

  /** The Java that this command runs on, which the launcher takes for all others, too. */
  static Finding java() {
    String detail =
        System.getProperty("java.vm.name")
            + " "
            + Runtime.version()
            + " in "
            + System.getProperty("java.home");
    if (Runtime.version().feature() < JAVA) {
      return Finding.problem("java", detail, "install a JDK " + JAVA + " or newer, set JAVA_HOME");
    }
    return ModuleFinder.ofSystem().find("jdk.incubator.vector").isPresent()
        ? Finding.ok("java", detail)
        : Finding.problem(
            "java",
            detail + ", without the module jdk.incubator.vector",
            "a worker needs it: take a whole JDK, or add it to the modules of jlink");
  }

  /** Whether the launcher has a cache of loaded classes that fits. */
  static Finding startUp(Optional<String> caches) {
    return caches.isPresent()
        ? Finding.ok("start-up", "classes are cached in " + caches.get())
        : Finding.warning("start-up", "no cache of loaded classes", "make one: sluice aot");
  }

  Finding processors() {
    int count = Runtime.getRuntime().availableProcessors();
    String arch = System.getProperty("os.arch", "unknown").toLowerCase(Locale.ROOT);
    String detail = count + (count == 1 ? " processor, " : " processors, ") + arch;
    if (!arch.equals("amd64")) {
      return arch.equals("aarch64")
          ? Finding.ok("processors", detail)
          : Finding.warning("processors", detail, "ONNX Runtime comes for amd64 and aarch64");
    }
    Set<String> flags = flags();
    List<String> found = VECTORS.stream().filter(flags::contains).toList();
    if (!flags.isEmpty() && !found.contains("avx2")) {
      return Finding.warning(
          "processors", detail + ", without AVX2", "decoding will be slow on this processor");
    }
    return Finding.ok(
        "processors", found.isEmpty() ? detail : detail + ": " + String.join(", ", found));
  }

  private Set<String> flags() {
    return lines("proc/cpuinfo")
        .filter(line -> line.startsWith("flags"))
        .findFirst()
        .map(line -> Set.copyOf(Arrays.asList(line.replaceFirst("^[^:]*:\\s*", "").split("\\s+"))))
        .orElse(Set.of());
  }

  /** What there is, and what a worker would take of it. */
  static Finding memory(MemoryLimit limit) {
    double gib = limit.bytes() / GIB;
    double worker = limit.budget(1) / GIB;
    String who =
        switch (limit.source()) {
          case CGROUP -> "control group's limit";
          case MACHINE -> "machine";
        };
    String detail =
        String.format(Locale.ROOT, "%.1f GiB (%s); a worker would take %.1f", gib, who, worker);
    if (worker < LEAST_GIB) {
      return Finding.problem(
          "memory", detail, "the smallest model takes " + LEAST_GIB + " GiB: raise the limit");
    }
    return worker < GOOD_GIB
        ? Finding.warning("memory", detail, "sluice model plan MODEL says what fits")
        : Finding.ok("memory", detail);
  }

  /** The soft limit of open files. */
  Finding files() {
    OptionalLong limit =
        lines("proc/self/limits")
            .filter(line -> line.startsWith("Max open files"))
            .map(line -> line.replaceFirst("^Max open files\\s+", "").replaceFirst("\\s.*", ""))
            .filter(text -> text.matches("\\d{1,18}")) // not "unlimited"
            .mapToLong(Long::parseLong)
            .findFirst();
    if (limit.isEmpty()) {
      return Finding.ok("open files", "no limit is known");
    }
    String detail = "at most " + limit.getAsLong();
    return limit.getAsLong() < GOOD_FILES
        ? Finding.warning("open files", detail, "many clients need more: ulimit -n 65536")
        : Finding.ok("open files", detail);
  }

  private Stream<String> lines(String file) {
    try {
      return Files.readAllLines(root.resolve(file)).stream();
    } catch (IOException e) {
      return Stream.empty(); // not Linux
    }
  }
}
