package dev.sluice.worker.runner;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * How much memory this process may use, and who says so.
 *
 * @param bytes of memory
 * @param source who says so
 */
public record MemoryLimit(long bytes, Source source) {
  /** Who sets a limit. */
  public enum Source {
    /** A control group, such as that of a container: meant for what runs in it. */
    CGROUP,
    /** The size of the machine's memory: there are others on it. */
    MACHINE
  }

  private static final Path CGROUPS = Path.of("sys", "fs", "cgroup");

  /** Part of a control group's limit that is planned with; the rest is for what is not planned. */
  private static final double CGROUP_PART = 0.9;

  private static final double MACHINE_PART = 0.5;

  /** The limit of this process. */
  public static MemoryLimit ofProcess() {
    var system =
        (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return of(Path.of("/"), system.getTotalMemorySize());
  }

  /**
   * The limit as a tree of files says.
   *
   * @param root has {@code proc} and {@code sys}
   * @param machineBytes what to take if {@code proc/meminfo} does not say
   */
  static MemoryLimit of(Path root, long machineBytes) {
    long machine = machine(root).orElse(machineBytes);
    OptionalLong cgroup = cgroup(root);
    return cgroup.isPresent() && cgroup.getAsLong() < machine
        ? new MemoryLimit(cgroup.getAsLong(), Source.CGROUP)
        : new MemoryLimit(machine, Source.MACHINE);
  }

  /**
   * What one of several workers plans with if nothing else was said: its share of nine tenths of a
   * control group's limit, or of half the machine.
   */
  public long budget(int workers) {
    double part =
        switch (source) {
          case CGROUP -> CGROUP_PART;
          case MACHINE -> MACHINE_PART;
        };
    return (long) (bytes * part) / workers;
  }

  private static OptionalLong machine(Path root) {
    return lines(root.resolve("proc/meminfo")).stream()
        .filter(line -> line.startsWith("MemTotal:"))
        .map(line -> line.replaceAll("\\D", ""))
        .filter(digits -> !digits.isEmpty())
        .mapToLong(kib -> Long.parseLong(kib) * 1024)
        .findFirst();
  }

  /** The smallest limit of the group and those around it, in version 2 or 1 of control groups. */
  private static OptionalLong cgroup(Path root) {
    return lines(root.resolve("proc/self/cgroup")).stream()
        .flatMap(line -> group(root, line).stream())
        .flatMapToLong(MemoryLimit::limits)
        .min();
  }

  /** A line is {@code number:controllers:path}; version 2 names no controllers. */
  private static Optional<Group> group(Path root, String line) {
    String[] parts = line.split(":", 3);
    if (parts.length < 3) {
      return Optional.empty();
    }
    String path = parts[2].replaceFirst("^/+", "");
    Path cgroups = root.resolve(CGROUPS);
    if (parts[1].isEmpty()) {
      return Optional.of(new Group(cgroups, cgroups.resolve(path), "memory.max"));
    }
    Path memory = cgroups.resolve("memory");
    return List.of(parts[1].split(",")).contains("memory")
        ? Optional.of(new Group(memory, memory.resolve(path), "memory.limit_in_bytes"))
        : Optional.empty();
  }

  /**
   * A group's folder and its file.
   *
   * @param top the folder of the outermost group; in a container it is the container's, whatever
   *     the path
   */
  private record Group(Path top, Path folder, String file) {}

  private static LongStream limits(Group group) {
    return Stream.iterate(
            group.folder().normalize(),
            folder -> folder != null && folder.startsWith(group.top()),
            Path::getParent)
        .flatMap(folder -> lines(folder.resolve(group.file())).stream())
        .map(text -> text.strip().toLowerCase(Locale.ROOT))
        .filter(text -> text.matches("\\d{1,18}")) // not "max"
        .mapToLong(Long::parseLong);
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      return List.of(); // not Linux, or not for us: no limit known
    }
  }
}
