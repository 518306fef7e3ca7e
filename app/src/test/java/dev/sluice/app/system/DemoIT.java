package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.app.system.Sluice.Result;
import org.junit.jupiter.api.Test;

/** The first thing that people run. */
final class DemoIT {
  @Test
  void answersShowsTimingsAndLeavesNothingBehind() throws Exception {
    try (Sluice demo = Sluice.start("demo")) {
      Result result = demo.await();
      assertThat(result.code()).as(result.err()).isZero();
      assertThat(result.out())
          .contains("> What is the capital of France?\n")
          .contains("Paris")
          .containsPattern("queue time +[0-9.]+ (µs|ms)")
          .containsPattern("TTFT +[0-9.]+ (ms|s)")
          .containsPattern("mean ITL +[0-9.]+ ms")
          .containsPattern("output +[0-9]+ tokens")
          .containsPattern("speed +[0-9.]+ tokens/s");
      assertThat(demo.family()).isEmpty();
    }
  }
}
