package dev.sluice.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What a worker refuses before it loads anything. */
final class WorkerCommandTest {
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    return new CommandLine(new WorkerCommand()).setErr(new PrintWriter(err)).execute(arguments);
  }

  @Test
  void refusesDevicesThatItDoesNotKnow() {
    assertThat(run("--device=gpu")).isEqualTo(2);
    assertThat(err.toString())
        .contains("device: \"gpu\" (expected: cpu, or cuda:N with the number of a GPU)");
  }

  @Test
  void refusesAGpuThatIsNotThere() {
    assertThat(run("--device=cuda:99", "--quantization=none", "--memory=1GiB")).isEqualTo(2);
    assertThat(err.toString())
        .contains("device: cuda:99 (expected: a build with CUDA, mvn -Pcuda, on a machine with")
        .doesNotContain("\tat ");
  }

  @Test
  void wantsToKnowHowMuchOfAGpuToUse() {
    assertThat(run("--device=cuda:0", "--quantization=none")).isEqualTo(2);
    assertThat(err.toString())
        .contains(
            "memory: null (expected with engine.device cuda:0: how much of the GPU's memory to"
                + " use, such as 20GiB)");
  }

  @Test
  void refusesPrecisionsThatAGpuDoesNotHave() {
    assertThat(run("--device=cuda:0", "--quantization=int8")).isEqualTo(2);
    assertThat(err.toString())
        .contains(
            "model.quantization: int8 (expected with engine.device cuda:0: none, int8-block or"
                + " int4-block)");
  }
}
