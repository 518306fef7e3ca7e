package dev.sluice.worker.runner;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;

/** A sequence's logits, alone and whole, against the same cut up and among others. */
final class BatchInvariance {
  private BatchInvariance() {}

  static void check(OrtModelRunner runner, Golden golden) {
    int[] text = golden.texts().getFirst().tokens();
    int[] next = golden.greedy().getFirst().tokens();
    int others = 12;
    float[][] expected = alone(runner, text, next);

    SequenceDriver driver = new SequenceDriver(runner, 1 + others, text.length + next.length + 20);
    // The text in chunks of 1, 2, 3, … tokens while the others decode.
    int done = 0;
    float[][] logits = {};
    for (int chunk = 1; done < text.length; chunk++) {
      int to = Math.min(text.length, done + chunk);
      driver.begin();
      for (int other = 1; other <= others / 2; other++) {
        driver.add(other, 1000 + other * chunk);
      }
      driver.add(0, Arrays.copyOfRange(text, done, to));
      for (int other = others / 2 + 1; other <= chunk && other <= others; other++) {
        driver.add(other, 1000 + other * chunk);
      }
      logits = driver.execute();
      done = to;
    }
    assertThat(logits[others / 2]).isEqualTo(expected[0]);
    // A decode step among every number of others.
    for (int i = 0; i < next.length; i++) {
      driver.begin();
      for (int other = 1; other <= i % (others + 1); other++) {
        driver.add(other, 2000 + i * other);
      }
      driver.add(0, next[i]);
      logits = driver.execute();
      assertThat(logits[logits.length - 1]).as("decode step %d", i).isEqualTo(expected[i + 1]);
    }
  }

  private static float[][] alone(OrtModelRunner runner, int[] text, int[] next) {
    SequenceDriver driver = new SequenceDriver(runner, 1, text.length + next.length);
    float[][] logits = new float[next.length + 1][];
    logits[0] = driver.begin().add(0, text).execute()[0];
    for (int i = 0; i < next.length; i++) {
      logits[i + 1] = driver.begin().add(0, next[i]).execute()[0];
    }
    return logits;
  }
}
