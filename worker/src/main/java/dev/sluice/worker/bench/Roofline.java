package dev.sluice.worker.bench;

import dev.sluice.worker.graph.IntegerWeights;
import dev.sluice.worker.kernel.FloatCeiling;
import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.ort.ElementType;
import dev.sluice.worker.ort.OrtEnvironment;
import dev.sluice.worker.ort.OrtFrame;
import dev.sluice.worker.ort.OrtSession;
import dev.sluice.worker.ort.OrtSessionOptions;
import dev.sluice.worker.ort.OrtTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The least time in which this machine could compute a prompt: ONNX Runtime's integer products of
 * the model's own shapes and nothing between them, and the multiplications of attention at the rate
 * at which the processor multiplies and adds floats in registers.
 *
 * <p>Threading: confined to its owner; measures on several threads.
 */
final class Roofline {
  private static final int RUNS = 5; // the fastest counts
  private static final int FLOAT_RUNS = 200;
  private static final double NANOS = 1e9;

  private final OrtEnvironment environment;
  private final ModelConfig model;
  private final int threads;
  private final double floatRate; // operations per second

  /**
   * The least time of one prompt.
   *
   * @param productSeconds of the matrix products
   * @param attentionSeconds of attention
   */
  record Ceiling(double productSeconds, double attentionSeconds) {
    double seconds() {
      return productSeconds + attentionSeconds;
    }
  }

  /** A matrix product of the model. */
  private record Shape(int inputs, int outputs, int times, boolean everyToken) {}

  Roofline(OrtEnvironment environment, ModelConfig model, int threads) {
    this.environment = environment;
    this.model = model;
    this.threads = threads;
    this.floatRate = floatRate(threads);
  }

  Ceiling prefill(int tokens, IntegerWeights form) {
    double products = 0;
    for (Shape shape : shapes()) {
      products += shape.times() * seconds(shape, shape.everyToken() ? tokens : 1, form);
    }
    double pairs = tokens * (tokens + 1.0) / 2;
    // scores and their sum: two products and two sums for each element of a head
    double operations = 4 * pairs * model.layers() * model.heads() * model.headSize();
    return new Ceiling(products, operations / floatRate);
  }

  private List<Shape> shapes() {
    int hidden = model.hiddenSize();
    int queries = model.heads() * model.headSize();
    int keys = model.kvHeads() * model.headSize();
    int layers = model.layers();
    return List.of(
        new Shape(hidden, queries + 2 * keys, layers, true),
        new Shape(queries, hidden, layers, true),
        new Shape(hidden, 2 * model.intermediateSize(), layers, true),
        new Shape(model.intermediateSize(), hidden, layers, true),
        new Shape(hidden, model.vocabularySize(), 1, false));
  }

  private double seconds(Shape shape, int rows, IntegerWeights form) {
    byte[] weights = new byte[shape.inputs() * shape.outputs()];
    Arrays.fill(weights, (byte) 1);
    long best = Long.MAX_VALUE;
    try (OrtSessionOptions options = OrtSessionOptions.create(threads);
        OrtSession session =
            OrtSession.create(
                environment, form.product(weights, shape.inputs(), shape.outputs()), options);
        OrtFrame frame = new OrtFrame(session, List.of("rows"), List.of("product"));
        OrtTensor input =
            OrtTensor.allocate(environment, ElementType.UINT8, rows, shape.inputs())) {
      frame.setInput(0, input);
      for (int run = 0; run < RUNS; run++) {
        long start = System.nanoTime();
        frame.run();
        best = Math.min(best, System.nanoTime() - start);
      }
    }
    return best / NANOS;
  }

  private static double floatRate(int threads) {
    double best = 0;
    for (int run = 0; run < RUNS; run++) {
      long start = System.nanoTime();
      List<Thread> helpers = new ArrayList<>();
      for (int i = 1; i < threads; i++) {
        helpers.add(Thread.ofPlatform().start(Roofline::multiply));
      }
      long operations = threads * multiply();
      try {
        for (Thread helper : helpers) {
          helper.join();
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException("interrupted while measuring", e);
      }
      best = Math.max(best, operations * NANOS / (System.nanoTime() - start));
    }
    return best;
  }

  private static long multiply() {
    FloatCeiling ceiling = new FloatCeiling();
    long operations = 0;
    for (int i = 0; i < FLOAT_RUNS; i++) {
      operations += ceiling.run();
    }
    if (ceiling.checksum() == 0) {
      throw new IllegalStateException("the sums are all 0");
    }
    return operations;
  }
}
