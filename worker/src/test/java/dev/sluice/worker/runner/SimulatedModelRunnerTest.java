package dev.sluice.worker.runner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.engine.ModelRunnerException;
import dev.sluice.worker.engine.StepBatch;
import dev.sluice.worker.runner.SimulatedModelRunner.StepHook;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** That what would be wrong with a real model is wrong here too, or tests would prove nothing. */
class SimulatedModelRunnerTest {
  private static final Geometry GEOMETRY = new Geometry(50, 32, 4, 10, 16, 4);
  private static final int[] TOKENS = {7, 3, 9, 9, 1, 4};

  private boolean failing;
  private final SimulatedModelRunner runner =
      new SimulatedModelRunner(
          GEOMETRY,
          _ -> {
            if (failing) {
              throw new ModelRunnerException("as told", new IllegalStateException());
            }
          });
  private final StepBatch batch = new StepBatch(GEOMETRY);

  /** Computes tokens of one sequence; the logits of the last. */
  private float[] compute(int past, int[] tokens, int... blocks) {
    batch.begin(4);
    batch.addSequence(past, blocks, blocks.length);
    for (int token : tokens) {
      batch.addToken(token);
    }
    batch.addLogits();
    runner.execute(batch);
    float[] logits = new float[50];
    runner.readLogits(0, logits);
    return logits;
  }

  @Test
  void chunksAndBlocksMakeNoDifference() {
    float[] expected = compute(0, TOKENS, 5, 2);
    compute(0, Arrays.copyOf(TOKENS, 3), 8, 1);
    assertThat(compute(3, Arrays.copyOfRange(TOKENS, 3, 6), 8, 1)).isEqualTo(expected);
    assertThat(expected).doesNotHaveDuplicates();
    for (float logit : expected) {
      assertThat(logit).isBetween(-4f, 4f);
    }
  }

  @Test
  void anotherTokenOrderOrBlockMakesADifference() {
    float[] expected = compute(0, TOKENS, 5, 2);
    assertThat(compute(0, new int[] {7, 3, 9, 9, 4, 1}, 5, 2)).isNotEqualTo(expected);
    assertThat(compute(0, new int[] {8, 3, 9, 9, 1, 4}, 5, 2)).isNotEqualTo(expected);
    int[] last = {TOKENS[5]};
    compute(0, TOKENS, 5, 2);
    assertThat(compute(5, last, 5, 2)).isEqualTo(expected);
    assertThat(compute(5, last, 6, 2)).isNotEqualTo(expected);
    assertThat(compute(4, last, 5, 2)).isNotEqualTo(expected);
  }

  @Test
  void aBlockThatAnotherSequenceUsesMakesADifference() {
    float[] expected = compute(0, TOKENS, 5, 2);
    compute(0, new int[] {1}, 5);
    assertThat(compute(5, new int[] {TOKENS[5]}, 5, 2)).isNotEqualTo(expected);
  }

  @Test
  void aFailedStepLeavesGarbageAndCanBeRepeated() {
    float[] expected = compute(0, TOKENS, 5, 2);
    failing = true;
    assertThatExceptionOfType(ModelRunnerException.class)
        .isThrownBy(() -> compute(4, new int[] {1, 4}, 5, 2));
    failing = false;
    assertThat(compute(5, new int[] {4}, 5, 2)).isNotEqualTo(expected);
    assertThat(compute(4, new int[] {1, 4}, 5, 2)).isEqualTo(expected);
  }

  @Test
  void sequencesOfAStepHaveTheirOwnLogits() {
    float[] first = compute(0, TOKENS, 5, 2);
    float[] second = compute(0, new int[] {2, 2}, 3);
    batch.begin(4);
    batch.addSequence(0, new int[] {0, 1}, 2);
    for (int token : TOKENS) {
      batch.addToken(token);
    }
    int firstRow = batch.addLogits();
    batch.addSequence(0, new int[] {9}, 1);
    batch.addToken(30);
    batch.addSequence(0, new int[] {4}, 1);
    batch.addToken(2);
    batch.addToken(2);
    int secondRow = batch.addLogits();
    runner.execute(batch);
    float[] logits = new float[50];
    runner.readLogits(firstRow, logits);
    assertThat(logits).isEqualTo(first);
    runner.readLogits(secondRow, logits);
    assertThat(logits).isEqualTo(second);
  }

  @Test
  void noHookIsNeeded() {
    try (SimulatedModelRunner plain = new SimulatedModelRunner(GEOMETRY, StepHook.NONE)) {
      assertThat(plain.geometry()).isEqualTo(GEOMETRY);
    }
  }
}
