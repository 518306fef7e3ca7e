package dev.sluice.worker.sampling;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;

/**
 * The time to choose a token from a row of the default model's vocabulary, with each parameter.
 *
 * <p>Prints the median microseconds of a row. Not a test; run with the test class path, {@code
 * --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED}.
 */
final class SamplerBench {
  private static final int VOCABULARY = 49_152;
  private static final int ROUNDS = 2_000;
  private static final SamplingParams PLAIN = new SamplingParams(1, 0, 1, 7);

  private SamplerBench() {}

  public static void main(String[] arguments) {
    for (int pass = 0; pass < 2; pass++) { // the first warms up
      boolean print = pass > 0;
      measure("greedy", SamplingParams.GREEDY, print);
      measure("temperature", PLAIN, print);
      measure("top-k 40", new SamplingParams(1, 40, 1, 7), print);
      measure("top-p 0.9", new SamplingParams(1, 0, 0.9f, 7), print);
      measure("min-p 0.05", PLAIN.withMinP(0.05f), print);
      measure("typical-p 0.9", PLAIN.withTypicalP(0.9f), print);
      measure(
          "greedy, penalties",
          SamplingParams.GREEDY.withPenalties(new Penalties(1.1f, 0.5f, 0.5f)),
          print);
      measure(
          "greedy, 1,000 allowed",
          SamplingParams.GREEDY.withRules(
              new TokenRules(
                  Map.of(), new Random(1).ints(1000, 0, VOCABULARY).toArray(), new int[0])),
          print);
      logprobs(0, print);
      logprobs(20, print);
    }
  }

  private static void measure(String name, SamplingParams params, boolean print) {
    try (Arena arena = Arena.ofConfined()) {
      float[] logits = logits();
      MemorySegment row = arena.allocate(ValueLayout.JAVA_FLOAT, VOCABULARY);
      Sampler sampler = new Sampler(VOCABULARY, VOCABULARY);
      int[] prompt = new Random(2).ints(500, 0, VOCABULARY).toArray();
      DecodingState state = DecodingState.start(params, prompt);
      double[] micros = new double[ROUNDS];
      for (int i = 0; i < ROUNDS; i++) {
        MemorySegment.copy(logits, 0, row, ValueLayout.JAVA_FLOAT, 0, VOCABULARY);
        long start = System.nanoTime();
        state.apply(row, 0, VOCABULARY);
        sampler.sample(row, 0, params, 0, i);
        micros[i] = (System.nanoTime() - start) / 1e3;
      }
      print(name, micros, print);
    }
  }

  private static void logprobs(int top, boolean print) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment row = arena.allocateFrom(ValueLayout.JAVA_FLOAT, logits());
      Sampler sampler = new Sampler(VOCABULARY, VOCABULARY);
      double[] micros = new double[ROUNDS];
      for (int i = 0; i < ROUNDS; i++) {
        long start = System.nanoTime();
        sampler.logprob(row, 0, i, top);
        micros[i] = (System.nanoTime() - start) / 1e3;
      }
      print("log-probability, top " + top, micros, print);
    }
  }

  private static float[] logits() {
    Random random = new Random(3);
    float[] logits = new float[VOCABULARY];
    for (int i = 0; i < VOCABULARY; i++) {
      logits[i] = (float) random.nextGaussian() * 3;
    }
    return logits;
  }

  private static void print(String name, double[] micros, boolean print) {
    Arrays.sort(micros);
    if (print) {
      System.out.printf("%-24s %8.1f µs%n", name, micros[micros.length / 2]);
    }
  }
}
