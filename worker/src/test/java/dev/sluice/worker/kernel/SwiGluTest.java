package dev.sluice.worker.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** silu(gate) * up against double precision, at every width of a tail. */
final class SwiGluTest {
  @Test
  void agreesWithDoublePrecision() {
    float[] gates = {0f, -0f, 1f, -1f, 10f, -10f, 80f, -80f, 200f, -200f, 1e-20f, 1e30f, -1e30f};
    for (int width = 16; width < 36; width++) {
      int tokens = 3;
      float[] input = new float[tokens * 2 * width];
      for (int i = 0; i < input.length; i++) {
        boolean gate = i / width % 2 == 0;
        input[i] = gate ? gates[i % gates.length] : i * 0.01f - 0.5f;
      }
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment output = arena.allocate(ValueLayout.JAVA_FLOAT, (long) tokens * width);
        new SwiGlu(2)
            .run(
                arena.allocateFrom(ValueLayout.JAVA_FLOAT, input).address(),
                tokens,
                width,
                output.address(),
                (tasks, body) -> {
                  for (int i = 0; i < tasks; i++) {
                    body.run(i);
                  }
                });

        for (int token = 0; token < tokens; token++) {
          for (int i = 0; i < width; i++) {
            double x = input[token * 2 * width + i];
            double expected = x / (1 + Math.exp(-x)) * input[token * 2 * width + width + i];
            assertThat((double) output.getAtIndex(ValueLayout.JAVA_FLOAT, token * width + i))
                .as("width %d, gate %s", width, x)
                .isCloseTo(expected, within(1e-6 * Math.max(1, Math.abs(expected))));
          }
        }
      }
    }
  }
}
