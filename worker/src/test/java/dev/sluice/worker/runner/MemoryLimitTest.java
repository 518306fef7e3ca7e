package dev.sluice.worker.runner;

import static dev.sluice.worker.runner.MemoryLimit.Source.CGROUP;
import static dev.sluice.worker.runner.MemoryLimit.Source.MACHINE;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On trees of files like those of Linux. */
final class MemoryLimitTest {
  private static final long MACHINE_BYTES = 8_000_000L * 1024;

  @TempDir private Path root = Path.of("");

  @BeforeEach
  void writeMeminfo() throws IOException {
    write("proc/meminfo", "MemTotal:        8000000 kB\nMemFree:          123456 kB\n");
  }

  private void write(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.resolve("..").normalize());
    Files.writeString(path, text);
  }

  private MemoryLimit limit() {
    return MemoryLimit.of(root, 77);
  }

  @Test
  void isTheMachinesWithoutControlGroups() {
    assertThat(limit()).isEqualTo(new MemoryLimit(MACHINE_BYTES, MACHINE));
  }

  @Test
  void isWhatTheRuntimeSaysWithoutProc() throws IOException {
    Files.delete(root.resolve("proc/meminfo"));

    assertThat(limit()).isEqualTo(new MemoryLimit(77, MACHINE));
  }

  @Test
  void isTheSmallestOfTheGroupsAround() throws IOException {
    write("proc/self/cgroup", "0::/system.slice/sluice.service\n");
    write("sys/fs/cgroup/system.slice/sluice.service/memory.max", "max\n");
    assertThat(limit()).isEqualTo(new MemoryLimit(MACHINE_BYTES, MACHINE));
    write("sys/fs/cgroup/system.slice/memory.max", "2147483648\n");
    assertThat(limit()).isEqualTo(new MemoryLimit(2147483648L, CGROUP));
    write("sys/fs/cgroup/system.slice/sluice.service/memory.max", "1073741824\n");
    assertThat(limit()).isEqualTo(new MemoryLimit(1073741824L, CGROUP));
    write("sys/fs/cgroup/memory.max", "1000000\n");
    assertThat(limit()).isEqualTo(new MemoryLimit(1000000L, CGROUP));
  }

  @Test
  void isTheContainersOwnWhereItSeesOnlyItself() throws IOException {
    write("proc/self/cgroup", "0::/\n");
    write("sys/fs/cgroup/memory.max", "536870912\n");

    assertThat(limit()).isEqualTo(new MemoryLimit(536870912L, CGROUP));
  }

  @Test
  void readsVersion1() throws IOException {
    write("proc/self/cgroup", "12:cpu,cpuacct:/a\n4:memory:/docker/0a1b\n0::/\n");
    write("sys/fs/cgroup/memory/docker/0a1b/memory.limit_in_bytes", "9223372036854771712\n");
    assertThat(limit()).isEqualTo(new MemoryLimit(MACHINE_BYTES, MACHINE));
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "3221225472\n");
    assertThat(limit()).isEqualTo(new MemoryLimit(3221225472L, CGROUP));
    write("sys/fs/cgroup/memory/docker/0a1b/memory.limit_in_bytes", "1073741824\n");
    assertThat(limit()).isEqualTo(new MemoryLimit(1073741824L, CGROUP));
  }

  @Test
  void doesNotFollowAPathOutOfTheTree() throws IOException {
    write("proc/self/cgroup", "0::/../../../other\n");
    write("other/memory.max", "5\n");
    write("sys/fs/cgroup/memory.max", "536870912\n");

    assertThat(limit().source()).isEqualTo(MACHINE);
  }

  @Test
  void aLimitAboveTheMachineIsNone() throws IOException {
    write("proc/self/cgroup", "0::/\n");
    write("sys/fs/cgroup/memory.max", "85899345920\n");

    assertThat(limit()).isEqualTo(new MemoryLimit(MACHINE_BYTES, MACHINE));
  }

  @Test
  void sharesItOut() {
    assertThat(new MemoryLimit(1000, CGROUP).budget(1)).isEqualTo(900);
    assertThat(new MemoryLimit(1000, CGROUP).budget(3)).isEqualTo(300);
    assertThat(new MemoryLimit(1000, MACHINE).budget(2)).isEqualTo(250);
  }

  @Test
  void thisProcessHasOne() {
    assertThat(MemoryLimit.ofProcess().bytes()).isPositive();
  }
}
