package dev.sluice.worker.runner;

import dev.sluice.worker.engine.ModelRunner;
import java.util.Arrays;

/** The golden cases, run on a runner. */
final class GoldenRun {
  private static final int SLICE = 64;

  private GoldenRun() {}

  /** The logits before each golden token of a continuation, the golden tokens being forced. */
  static float[][] forced(ModelRunner runner, Golden.Greedy golden) {
    int length = golden.prompt().length + golden.tokens().length;
    SequenceDriver driver = new SequenceDriver(runner, 1, length);
    float[][] logits = new float[golden.tokens().length][];
    logits[0] = driver.begin().add(0, golden.prompt()).execute()[0];
    for (int i = 1; i < logits.length; i++) {
      logits[i] = driver.begin().add(0, golden.tokens()[i - 1]).execute()[0];
    }
    return logits;
  }

  /** The log-probability of each token of a text but the first. */
  static double[] logprobs(ModelRunner runner, Golden.Text text) {
    int[] tokens = text.tokens();
    SequenceDriver driver = new SequenceDriver(runner, 1, tokens.length);
    double[] logprobs = new double[tokens.length - 1];
    for (int from = 0; from < logprobs.length; from += SLICE) {
      int to = Math.min(from + SLICE, logprobs.length);
      float[][] logits = driver.begin().addAll(0, Arrays.copyOfRange(tokens, from, to)).execute();
      for (int i = from; i < to; i++) {
        logprobs[i] = SequenceDriver.logprob(logits[i - from], tokens[i + 1]);
      }
    }
    return logprobs;
  }

  static double perplexity(double[] logprobs) {
    return Math.exp(-Arrays.stream(logprobs).average().orElseThrow());
  }
}
