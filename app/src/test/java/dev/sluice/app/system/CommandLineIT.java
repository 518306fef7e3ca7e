package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.app.system.Sluice.Result;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes wrong at the start of a process, and what its user is told. */
final class CommandLineIT {
  private static final String[] ANY_PORTS = {"--port=0", "--telemetry.metrics-port=0"};

  @TempDir private Path directory = Path.of("");

  private static Result worker(Path model) throws Exception {
    return Sluice.run("worker", ANY_PORTS[0], ANY_PORTS[1], "--model", model.toString());
  }

  private Path copyOfTheModel() throws Exception {
    Result pulled = Sluice.run("model", "pull", "smollm2-135m");
    assertThat(pulled.code()).as(pulled.err()).isZero();
    return Files.copy(Path.of(pulled.out().strip()), directory.resolve("copy.gguf"));
  }

  @Test
  void versionAndHelp() throws Exception {
    assertThat(Sluice.run("--version").out()).startsWith("sluice ");
    assertThat(Sluice.run("--help").out()).contains("demo", "up", "generate", "worker", "router");
    assertThat(Sluice.run().code()).isEqualTo(2);
  }

  /** It needs the modules of a worker's process. */
  @Test
  void aSimulationRuns() throws Exception {
    Result result = Sluice.run("simulate", "-n", "200", "-c", "8", "--cost", "gpu");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.out()).containsPattern("Requests completed +200\\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"router", "worker"})
  void unknownFlagNamesTheNearest(String command) throws Exception {
    Result result = Sluice.run(command, "--server.prot=1");
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).contains("server.prot").contains("server.port");
  }

  @ParameterizedTest
  @ValueSource(strings = {"router", "worker"})
  void unknownKeyInAFileNamesFileAndNearest(String command) throws Exception {
    Path file = Files.writeString(directory.resolve("sluice.yaml"), "server:\n  prot: 1\n");
    Result result = Sluice.run(command, "--config", file.toString());
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("sluice.yaml").contains("prot").contains("port");
  }

  @ParameterizedTest
  @ValueSource(strings = {"router", "worker"})
  void portInUseNamesThePort(String command) throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      Result result =
          Sluice.run(command, "--port=" + taken.getLocalPort(), "--telemetry.metrics-port=0");
      assertThat(result.code()).isEqualTo(1);
      assertThat(result.err()).contains("127.0.0.1:" + taken.getLocalPort()).contains("in use");
    }
  }

  @Test
  void missingGpu() throws Exception {
    Result result =
        Sluice.run("worker", "--device=cuda:99", "--quantization=none", "--memory=1GiB");
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("cuda:99").contains("mvn -Pcuda").doesNotContain("\tat ");
  }

  @Test
  void missingModelFile() throws Exception {
    Path missing = directory.resolve("missing.gguf");
    Result result = worker(missing);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains(missing.toString()).contains("no such file");
  }

  @Test
  void truncatedModelFile() throws Exception {
    Path model = copyOfTheModel();
    try (RandomAccessFile file = new RandomAccessFile(model.toFile(), "rw")) {
      file.setLength(file.length() / 2);
    }
    Result result = worker(model);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains(model.toString()).contains("expected");
  }

  @Test
  void corruptModelFile() throws Exception {
    Path model = copyOfTheModel();
    try (RandomAccessFile file = new RandomAccessFile(model.toFile(), "rw")) {
      file.seek(8); // the number of tensors
      file.writeLong(-1);
    }
    Result result = worker(model);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains(model.toString()).contains("expected");
  }

  @Test
  void notAModelFile() throws Exception {
    Path file = Files.writeString(directory.resolve("notes.gguf"), "not a model");
    Result inspected = Sluice.run("model", "inspect", file.toString());
    assertThat(inspected.code()).isEqualTo(2);
    assertThat(inspected.err()).contains(file.toString()).contains("GGUF");
    Result pulled = Sluice.run("model", "pull", "smollm2-135");
    assertThat(pulled.code()).isEqualTo(2);
    assertThat(pulled.err()).contains("smollm2-135m");
  }

  @Test
  void plansMemory() throws Exception {
    Result text = Sluice.run("model", "plan", "smollm2-135m", "--memory=2GiB", "--context=512");
    assertThat(text.code()).as(text.err()).isZero();
    assertThat(text.out()).contains("weights", "KV cache", "512 tokens");
    Result gpu = Sluice.run("model", "plan", "smollm2-135m", "--gpu-memory=80GiB", "-o", "json");
    assertThat(gpu.out()).contains("\"device\":\"cuda\"", "\"block_size\":256");
    Result none = Sluice.run("model", "plan", "smollm2-135m", "--memory=100MiB");
    assertThat(none.code()).isEqualTo(1);
    assertThat(none.out()).contains("no room for a KV cache");
  }

  @Test
  void workerRefusesMemoryThatIsTooSmall() throws Exception {
    Result worker =
        Sluice.run("worker", "--port=0", "--telemetry.metrics-port=0", "--memory=300MiB");
    assertThat(worker.code()).isEqualTo(2);
    assertThat(worker.err())
        .contains("memory: 300.0 MiB (expected: at least ", "weights ", "--memory");
  }

  @Test
  void upTellsWhyItsWorkerCannotStart() throws Exception {
    Path file = Files.writeString(directory.resolve("notes.gguf"), "not a model");
    try (Sluice up = Sluice.start("up", "--port=0", "--workers=1", "--model", file.toString())) {
      Result result = up.await();
      assertThat(result.code()).isEqualTo(2);
      assertThat(result.out()).isEmpty();
      assertThat(result.err()).contains("worker-1 exited with 2").contains(file.toString());
      assertThat(up.family()).isEmpty();
    }
  }
}
