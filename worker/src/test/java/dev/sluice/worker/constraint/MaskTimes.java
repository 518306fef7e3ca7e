package dev.sluice.worker.constraint;

import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.TestModel;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * How long masks of the default model's vocabulary take, at the first visit of a state and later.
 * On an idle machine:
 *
 * <pre>
 *   mvn -Pfast -pl worker -am test -Dtest=MaskTimes -Dtest.jvm=-Xmx3g -Dsurefire.failIfNoSpecifiedTests=false
 * </pre>
 */
class MaskTimes {
  private static final int ROUNDS = 200;
  private static final ThreadMXBean CPU = ManagementFactory.getThreadMXBean();

  private static final Map<String, ConstraintSource> SOURCES =
      new TreeMap<>(
          Map.of(
              "any text", new ConstraintSource.Regex("[\\x00-\\x{10FFFF}]*"),
              "words", new ConstraintSource.Regex("([A-Za-z]{1,12} ){3,30}"),
              "date", new ConstraintSource.Regex("\\d{4}-\\d{2}-\\d{2}"),
              "free JSON", new ConstraintSource.JsonSchema("{\"type\":\"object\"}"),
              "bounded object",
                  new ConstraintSource.JsonSchema(
                      "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\","
                          + "\"maxLength\":200},\"b\":{\"type\":\"array\",\"maxItems\":20,"
                          + "\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":9999}},"
                          + "\"c\":{\"enum\":[\"x\",\"y\"]}},\"required\":[\"a\",\"b\",\"c\"]}")));

  @Test
  void measure() {
    Vocabulary vocabulary;
    try (Checkpoint checkpoint = Checkpoints.open(TestModel.path())) {
      long start = System.nanoTime();
      vocabulary = Vocabulary.read(checkpoint.tokenizer());
      System.out.printf("vocabulary: %.0f ms%n", (System.nanoTime() - start) / 1e6);
    }
    for (int warm = 0; warm < 2; warm++) {
      SOURCES.forEach((name, source) -> measure(name, source, vocabulary));
    }
  }

  private static void measure(String name, ConstraintSource source, Vocabulary vocabulary) {
    ConstraintCompiler compiler = new ConstraintCompiler(vocabulary, CompileLimits.defaults());
    long start = System.nanoTime();
    Constraint constraint = compiler.compile(source, () -> false);
    double compileMillis = (System.nanoTime() - start) / 1e6;
    double[] first = new double[ROUNDS * 100];
    double[] later = new double[ROUNDS * 100];
    int firsts = 0;
    int laters = 0;
    for (int seed = 0; seed < ROUNDS; seed++) {
      Random random = new Random(seed);
      ConstraintState state = constraint.start();
      for (int i = 0; i < 100 && !state.isDone(); i++) {
        boolean known = state.isPrepared();
        long before = CPU.getCurrentThreadCpuTime();
        long[] mask = state.allowed();
        double micros = (CPU.getCurrentThreadCpuTime() - before) / 1e3;
        if (known) {
          later[laters++] = micros;
        } else {
          first[firsts++] = micros;
        }
        int token = random.nextInt(vocabulary.size());
        while ((mask[token / Long.SIZE] >>> token & 1) == 0) {
          token = (token + 1) % vocabulary.size();
        }
        state.accept(token);
      }
    }
    System.out.printf(
        "%-15s compile %6.1f ms, first visits %5d: %s us, later %6d: %s us, %d KiB%n",
        name,
        compileMillis,
        firsts,
        quantiles(Arrays.copyOf(first, firsts)),
        laters,
        quantiles(Arrays.copyOf(later, laters)),
        constraint.bytes() >> 10);
  }

  private static String quantiles(double[] values) {
    Arrays.sort(values);
    return values.length == 0
        ? "-"
        : "p50 %.1f p99 %.1f max %.1f"
            .formatted(
                values[values.length / 2],
                values[(int) (0.99 * (values.length - 1))],
                values[values.length - 1]);
  }
}
