package dev.sluice.worker.runner;

import dev.sluice.worker.graph.IntegerWeights;
import dev.sluice.worker.ort.ElementType;
import dev.sluice.worker.ort.OrtEnvironment;
import dev.sluice.worker.ort.OrtFrame;
import dev.sluice.worker.ort.OrtSession;
import dev.sluice.worker.ort.OrtSessionOptions;
import dev.sluice.worker.ort.OrtTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds a form of int8 weights that this processor multiplies exactly, by comparing products with
 * exact integers. On x86 without VNNI the fastest kernel adds pairs of products in 16 bits and
 * saturates, without a word: nothing but a test tells.
 */
@SuppressWarnings("restricted") // native memory and functions
final class IntegerSelfTest {
  private static final Logger log = LoggerFactory.getLogger(IntegerSelfTest.class);

  /** Kernels differ by the number of rows, and at the edges of their tiles. */
  private static final List<Integer> ROW_COUNTS = List.of(1, 2, 3, 8, 33);

  private static final int INPUTS = 192;
  private static final int OUTPUTS = 85;
  private static final int ZERO = 128;

  private final OrtEnvironment environment;
  private final int threads;
  private final SplittableRandom random = new SplittableRandom(1);
  private final byte[] weights = new byte[INPUTS * OUTPUTS];

  private IntegerSelfTest(OrtEnvironment environment, int threads) {
    this.environment = environment;
    this.threads = threads;
    for (int i = 0; i < weights.length; i++) {
      int output = i % OUTPUTS;
      // The extremes first: they are what saturates.
      weights[i] = (byte) (output < 2 ? 127 - 254 * output : random.nextInt(-127, 128));
    }
  }

  /**
   * The first form that is exact, in the order of their speed.
   *
   * @throws IllegalArgumentException if none is
   */
  static IntegerWeights choose(OrtEnvironment environment, int threads) {
    IntegerSelfTest test = new IntegerSelfTest(environment, threads);
    for (IntegerWeights candidate : IntegerWeights.values()) {
      if (test.isExact(candidate)) {
        log.info("int8: weights are multiplied as {}, exactly", candidate.type());
        return candidate;
      }
      log.info("int8: this processor does not multiply {} weights exactly", candidate.type());
    }
    throw new IllegalArgumentException(
        "quantization: int8 (expected: int8-block or none, since ONNX Runtime does not multiply"
            + " integers exactly on this processor)");
  }

  private boolean isExact(IntegerWeights form) {
    try (OrtSessionOptions options = OrtSessionOptions.create(threads);
        OrtSession session =
            OrtSession.create(environment, form.product(weights, INPUTS, OUTPUTS), options)) {
      return ROW_COUNTS.stream().allMatch(rows -> isExact(session, rows));
    }
  }

  private boolean isExact(OrtSession session, int rows) {
    try (OrtFrame frame = new OrtFrame(session, List.of("rows"), List.of("product"));
        OrtTensor input = OrtTensor.allocate(environment, ElementType.UINT8, rows, INPUTS)) {
      byte[] activations = new byte[rows * INPUTS];
      for (int i = 0; i < activations.length; i++) {
        // Every other row has the largest activations, the first among them.
        activations[i] = (byte) (i / INPUTS % 2 == 0 ? 255 : random.nextInt(256));
      }
      input.data().copyFrom(MemorySegment.ofArray(activations));
      frame.setInput(0, input);
      frame.run();
      MemorySegment product =
          MemorySegment.ofAddress(frame.outputAddress(0)).reinterpret(4L * rows * OUTPUTS);
      for (int i = 0; i < rows * OUTPUTS; i++) {
        int expected = product(activations, i / OUTPUTS, i % OUTPUTS);
        if (product.getAtIndex(ValueLayout.JAVA_INT, i) != expected) {
          return false;
        }
      }
      return true;
    }
  }

  /** In plain arrays: at a worker's start this is interpreted. */
  private int product(byte[] activations, int row, int output) {
    int sum = 0;
    for (int k = 0; k < INPUTS; k++) {
      int activation = Byte.toUnsignedInt(activations[row * INPUTS + k]) - ZERO;
      sum += activation * weights[k * OUTPUTS + output];
    }
    return sum;
  }
}
