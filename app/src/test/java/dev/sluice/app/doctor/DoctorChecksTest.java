package dev.sluice.app.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.app.doctor.Finding.Verdict;
import dev.sluice.worker.model.StoredModel;
import dev.sluice.worker.runner.MemoryLimit;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the doctor says of machines that are not well. */
final class DoctorChecksTest {
  private static final long GIB = 1L << 30;

  @TempDir private Path root = Path.of("");

  private void write(String file, String text) throws Exception {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  @Test
  void javaIsFoundGoodWhereTheTestsRun() {
    assertThat(MachineChecks.java().verdict()).isEqualTo(Verdict.OK);
  }

  @Test
  void memoryThatNoModelFitsInIsAProblem() {
    assertThat(MachineChecks.memory(new MemoryLimit(GIB / 4, MemoryLimit.Source.CGROUP)))
        .returns(Verdict.PROBLEM, Finding::verdict)
        .satisfies(f -> assertThat(f.detail()).contains("control group"));
    assertThat(MachineChecks.memory(new MemoryLimit(2 * GIB, MemoryLimit.Source.MACHINE)).verdict())
        .isEqualTo(Verdict.WARNING);
    assertThat(MachineChecks.memory(new MemoryLimit(8 * GIB, MemoryLimit.Source.CGROUP)).verdict())
        .isEqualTo(Verdict.OK);
  }

  @Test
  void fewOpenFilesAreTold() throws Exception {
    write("proc/self/limits", "Max open files            256                  4096       files\n");
    assertThat(new MachineChecks(root).files())
        .isEqualTo(
            Finding.warning(
                "open files", "at most 256", "many clients need more: ulimit -n 65536"));
    write("proc/self/limits", "Max open files            unlimited            unlimited  files\n");
    assertThat(new MachineChecks(root).files().verdict()).isEqualTo(Verdict.OK);
  }

  @Test
  void startUpWithoutACacheIsToldHowToGetOne() {
    assertThat(MachineChecks.startUp(Optional.empty()).advice()).contains("sluice aot");
    assertThat(MachineChecks.startUp(Optional.of("/x")).verdict()).isEqualTo(Verdict.OK);
  }

  @Test
  void aPortInUseIsNamedWithItsUse() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Finding finding = PortChecks.ports(Map.of(taken.getLocalPort(), "router, gRPC"));
      assertThat(finding.verdict()).isEqualTo(Verdict.WARNING);
      assertThat(finding.detail()).contains(taken.getLocalPort() + " (router, gRPC)");
    }
  }

  @Test
  void aFolderThatIsAFileIsAProblem() throws Exception {
    write("home", "not a folder");
    assertThat(new StorageChecks(root.resolve("home/models")).folder().verdict())
        .isEqualTo(Verdict.PROBLEM);
    assertThat(new StorageChecks(root.resolve("new/home")).folder().verdict())
        .isNotEqualTo(Verdict.PROBLEM);
  }

  @Test
  void withoutModelsPipMustBeThere() throws Exception {
    StoredModel absent = new StoredModel("tiny", "", root.resolve("tiny"), 1, false);
    assertThat(StorageChecks.models(List.of(absent), root.toString()).verdict())
        .isEqualTo(Verdict.WARNING);
    write("pip3", "");
    assertThat(root.resolve("pip3").toFile().setExecutable(true)).isTrue();
    assertThat(StorageChecks.models(List.of(absent), root.toString()).detail()).contains("pip3");
    StoredModel present = new StoredModel("tiny", "", root.resolve("tiny"), 1, true);
    assertThat(StorageChecks.models(List.of(present), "").detail()).isEqualTo("here: tiny");
  }

  @Test
  void aGpuNeedsItsBuildAndItsLibraries() throws Exception {
    GpuChecks gpus = new GpuChecks(root, "");
    assertThat(gpus.gpu(false)).returns(Verdict.OK, Finding::verdict);
    write("dev/nvidia0", "");
    write("dev/nvidiactl", "");
    assertThat(gpus.gpu(false).advice()).contains("mvn -Pcuda");
    assertThat(gpus.gpu(true).detail()).contains("1 NVIDIA GPU;").contains("libcudart.so.12");
    for (String library :
        new String[] {
          "libcuda.so.1",
          "libcudart.so.12",
          "libcublas.so.12",
          "libcublasLt.so.12",
          "libcurand.so.10"
        }) {
      write("usr/lib/x86_64-linux-gnu/" + library, "");
    }
    assertThat(gpus.gpu(true)).returns(Verdict.OK, Finding::verdict);
  }
}
