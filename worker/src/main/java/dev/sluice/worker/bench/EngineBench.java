package dev.sluice.worker.bench;

import dev.sluice.worker.graph.KvType;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.AttentionShape;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.runner.MemoryPlan;
import dev.sluice.worker.runner.OrtModelRunner;
import dev.sluice.worker.runner.OrtModelRunnerConfig;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * The speed of a model on this machine, without scheduler and network. One JSON line for each
 * workload, the same as the comparison scripts for other engines print:
 *
 * <ul>
 *   <li>{@code serve-B}: B prompts of 128 random tokens, prefilled one after the other, then a
 *       batched greedy step for each further token until every sequence has 64;
 *   <li>{@code prefill-T}: one prompt of T tokens.
 * </ul>
 *
 * Figures are tokens per second, medians of the repeats; {@code all} counts prompt and output.
 */
public final class EngineBench {
  private static final int INPUT = 128;
  private static final int OUTPUT = 64;
  private static final int[] STREAMS = {1, 8, 32};
  private static final int[] PREFILLS = {128, 512};
  private static final int LARGEST_PREFILL = 512;
  private static final int LARGEST_STREAMS = 32;

  private EngineBench() {}

  /**
   * Runs all workloads.
   *
   * @param quick fewer repeats
   * @param out receives the lines
   */
  public static void run(
      Path model,
      Quantization quantization,
      KvType kvType,
      int threads,
      boolean quick,
      PrintStream out) {
    int repeats = quick ? 2 : 4;
    String name = String.valueOf(model.getFileName());
    try (Checkpoint checkpoint = Checkpoints.open(model);
        OrtModelRunner runner =
            OrtModelRunner.load(
                checkpoint,
                new OrtModelRunnerConfig(
                    quantization,
                    kvType,
                    threads,
                    (INPUT + OUTPUT)
                        * LARGEST_STREAMS
                        * MemoryPlan.kvBytesPerToken(checkpoint.config(), kvType),
                    AttentionShape.BLOCK_SIZE,
                    LARGEST_PREFILL,
                    LARGEST_PREFILL,
                    LARGEST_STREAMS))) {
      runner.warmUp();
      Workload workload = new Workload(runner);
      for (int streams : STREAMS) {
        double[] median = median(repeats, () -> workload.serve(streams, INPUT, OUTPUT));
        out.printf(
            Locale.ROOT,
            "{\"engine\": \"sluice\", \"model\": \"%s\", \"workload\": \"serve-%d\","
                + " \"prefill\": %.1f, \"decode\": %.1f, \"all\": %.1f}%n",
            name,
            streams,
            median[0],
            median[1],
            median[2]);
      }
      for (int tokens : PREFILLS) {
        double[] median = median(2 * repeats, () -> new double[] {workload.prefill(tokens)});
        out.printf(
            Locale.ROOT,
            "{\"engine\": \"sluice\", \"model\": \"%s\", \"workload\": \"prefill-%d\","
                + " \"prefill\": %.1f}%n",
            name,
            tokens,
            median[0]);
      }
    }
  }

  /** The median of each figure. */
  private static double[] median(int repeats, Supplier<double[]> measurement) {
    double[][] rows = new double[repeats][];
    for (int i = 0; i < repeats; i++) {
      rows[i] = measurement.get();
    }
    double[] result = new double[rows[0].length];
    for (int figure = 0; figure < result.length; figure++) {
      double[] values = new double[repeats];
      for (int i = 0; i < repeats; i++) {
        values[i] = rows[i][figure];
      }
      Arrays.sort(values);
      result[figure] = (values[(repeats - 1) / 2] + values[repeats / 2]) / 2;
    }
    return result;
  }
}
