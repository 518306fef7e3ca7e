package dev.sluice.worker.bench;

import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.worker.WorkerConfig;
import dev.sluice.worker.graph.IntegerWeights;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.AttentionShape;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.ort.OrtEnvironment;
import dev.sluice.worker.runner.MemoryPlan;
import dev.sluice.worker.runner.OrtModelRunner;
import dev.sluice.worker.runner.OrtModelRunnerConfig;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The speed of a model on this machine, without scheduler and network. One JSON line for each
 * workload, the same as the comparison scripts for other engines print:
 *
 * <ul>
 *   <li>{@code serve-B}: B prompts of 128 random tokens, prefilled one after the other, then a
 *       batched greedy step for each further token until every sequence has 64;
 *   <li>{@code prefill-T}: one prompt of T tokens;
 *   <li>{@code speculation-TEXT}: instead of the others, if asked for: what speculative decoding
 *       makes of one stream, half of them greedy.
 * </ul>
 *
 * Figures are tokens per second, medians of the repeats; {@code all} counts prompt and output. A
 * workload first runs unmeasured for {@value #SETTLE_SECONDS} s: until the compiler is done with
 * what it calls, which a server is a few seconds after its start.
 */
public final class EngineBench {
  private static final int SETTLE_SECONDS = 3;
  private static final int INPUT = 128;
  private static final int OUTPUT = 64;
  private static final int[] STREAMS = {1, 8, 32};
  private static final int[] PREFILLS = {128, 512};
  private static final int LARGEST_PREFILL = 512;
  private static final int LARGEST_STREAMS = 32;
  private static final int LARGEST_CONTEXT = 320; // of 32 streams

  private EngineBench() {}

  /**
   * What is measured.
   *
   * @param model its file
   * @param threads that compute
   * @param quick fewer repeats
   * @param roofline whether the least possible time of the prefills is measured beside them
   * @param profile whether it is also shown what the engine spends a step on
   * @param speculation whether, instead of all this, speculative decoding is measured
   */
  public record Options(
      Path model,
      Quantization quantization,
      KvType kvType,
      int threads,
      boolean quick,
      boolean roofline,
      boolean profile,
      boolean speculation) {}

  /**
   * Runs all workloads.
   *
   * @param out receives the lines
   */
  public static void run(Options options, PrintStream out) throws InterruptedException {
    try (Checkpoint checkpoint = Checkpoints.open(options.model());
        OrtModelRunner runner = load(checkpoint, options)) {
      runner.warmUp();
      Report report = new Report(out, String.valueOf(options.model().getFileName()));
      int repeats = options.quick() ? 2 : 4;
      if (options.speculation()) {
        speculation(checkpoint, runner, 2 * repeats, report);
        return;
      }
      Workload workload = new Workload(runner);
      for (int streams : STREAMS) {
        report.serve(streams, median(repeats, () -> workload.serve(streams, INPUT, OUTPUT)));
      }
      double[] prefills = new double[PREFILLS.length];
      for (int i = 0; i < PREFILLS.length; i++) {
        int tokens = PREFILLS[i];
        prefills[i] = median(2 * repeats, () -> new double[] {workload.prefill(tokens)})[0];
        report.prefill(tokens, prefills[i]);
      }
      if (options.roofline()) {
        roofline(checkpoint.config(), options.threads(), prefills, report);
      }
      if (options.profile()) {
        try (Tokenizer tokenizer = Tokenizer.load(checkpoint.tokenizer())) {
          EngineProfile profile = new EngineProfile(runner, tokenizer, options.threads());
          for (int streams : STREAMS) {
            report.profile(streams, profile.run(streams));
          }
        }
      }
    }
  }

  private static void speculation(
      Checkpoint checkpoint, OrtModelRunner runner, int repeats, Report report) {
    int draftTokens = WorkerConfig.defaults().engine().draftTokens();
    try (Tokenizer tokenizer = Tokenizer.load(checkpoint.tokenizer())) {
      SpeculationBench bench = new SpeculationBench(runner, tokenizer, draftTokens, repeats);
      for (SpeculationText text : SpeculationText.values()) {
        report.speculation(text, bench.run(text));
      }
    }
  }

  private static OrtModelRunner load(Checkpoint checkpoint, Options options) {
    long tokens = (long) LARGEST_CONTEXT * LARGEST_STREAMS;
    return OrtModelRunner.load(
        checkpoint,
        new OrtModelRunnerConfig(
            options.quantization(),
            options.kvType(),
            options.threads(),
            tokens * MemoryPlan.kvBytesPerToken(checkpoint.config(), options.kvType()),
            AttentionShape.BLOCK_SIZE,
            LARGEST_PREFILL,
            LARGEST_PREFILL,
            LARGEST_STREAMS));
  }

  private static void roofline(ModelConfig model, int threads, double[] prefills, Report report) {
    try (OrtEnvironment environment = OrtEnvironment.open()) {
      Roofline roofline = new Roofline(environment, model, threads);
      for (int i = 0; i < PREFILLS.length; i++) {
        for (IntegerWeights form : IntegerWeights.values()) {
          report.roofline(PREFILLS[i], form, roofline.prefill(PREFILLS[i], form), prefills[i]);
        }
      }
    }
  }

  /** The median of each figure, once the compiler has settled. */
  private static double[] median(int repeats, Supplier<double[]> measurement) {
    long start = System.nanoTime();
    do {
      var _ = measurement.get();
    } while (System.nanoTime() - start < TimeUnit.SECONDS.toNanos(SETTLE_SECONDS));
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
