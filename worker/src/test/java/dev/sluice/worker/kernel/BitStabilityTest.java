package dev.sluice.worker.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The kernels give the same bits in processes that run them in different ways. */
final class BitStabilityTest {
  @Test
  void bitsAreTheSameInterpretedCompiledAndWithNarrowVectors() throws Exception {
    String cold = checksums(1);
    assertThat(cold).matches("[0-9a-f]{8} [0-9a-f]{8}");

    // The sum of the last of thousands of runs, by the optimizing compiler, equals the first.
    assertThat(checksums(3000)).as("warm").isEqualTo(cold);
    assertThat(checksums(1, "-Xint")).as("interpreted").isEqualTo(cold);
    assertThat(checksums(50, "-XX:TieredStopAtLevel=1")).as("first compiler").isEqualTo(cold);
    assertThat(checksums(1000, "-XX:MaxVectorSize=16")).as("vectors of 4").isEqualTo(cold);
  }

  private static String checksums(int times, String... options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.addAll(
        List.of(
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            KernelChecksum.class.getName(),
            Integer.toString(times)));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(process.waitFor()).as("%s", command).isZero();
    return output;
  }
}
