package dev.sluice.worker.runner;

import dev.sluice.worker.graph.HalfType;
import dev.sluice.worker.ort.CustomOp;
import dev.sluice.worker.ort.ElementType;
import dev.sluice.worker.ort.KernelContext;
import dev.sluice.worker.ort.KernelInfo;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@code com.microsoft.PagedAttention} computes, written down plainly from its documentation,
 * for a CPU: in double precision between 16-bit inputs and outputs. It asks of its inputs what the
 * CUDA kernel asks.
 */
@SuppressWarnings("restricted") // native memory and functions
final class HalfPagedAttention implements CustomOp {
  private final HalfType type;

  HalfPagedAttention(HalfType type) {
    this.type = type;
  }

  @Override
  public String name() {
    return "PagedAttention";
  }

  @Override
  public List<Parameter> inputs() {
    Parameter half = Parameter.required(type.elementType());
    Parameter maybeHalf = Parameter.optional(type.elementType());
    Parameter ints = Parameter.required(ElementType.INT32);
    Parameter maybeInts = Parameter.optional(ElementType.INT32);
    Parameter maybeFloat = Parameter.optional(ElementType.FLOAT);
    List<Parameter> inputs = new ArrayList<>(List.of(half, maybeHalf, maybeHalf, half, half));
    inputs.addAll(List.of(ints, ints, ints, maybeHalf, maybeHalf, maybeInts));
    inputs.addAll(List.of(maybeHalf, maybeHalf, maybeHalf, maybeFloat, maybeFloat, maybeInts));
    return inputs;
  }

  @Override
  public List<Parameter> outputs() {
    return List.of(Parameter.required(type.elementType()));
  }

  @Override
  public Kernel createKernel(KernelInfo info) {
    Settings settings =
        new Settings(
            (int) info.intAttribute("num_heads"),
            (int) info.intAttribute("kv_num_heads"),
            (int) info.intAttribute("local_window_size", -1),
            info.floatAttribute("scale"),
            info.floatAttribute("qk_norm_epsilon", 1e-6f));
    return context -> new Call(settings, type, context).run();
  }

  private record Settings(int heads, int kvHeads, int window, float scale, float epsilon) {}

  /** One run of one node. */
  private static final class Call {
    private final Settings settings;
    private final HalfType type;
    private final KernelContext context;
    private final int size; // of a head
    private final int blockSize;
    private final int width; // of the block table
    private final MemorySegment queryKeyValue;
    private final MemorySegment keyCache;
    private final MemorySegment valueCache;
    private final MemorySegment output;

    Call(Settings settings, HalfType type, KernelContext context) {
      this.settings = settings;
      this.type = type;
      this.context = context;
      long tokens = context.inputDimension(0, 0);
      this.size = (int) context.inputDimension(0, 1) / (settings.heads() + 2 * settings.kvHeads());
      this.blockSize = (int) context.inputDimension(3, 1);
      this.width = (int) context.inputDimension(7, 1);
      expect(context.inputDimension(3, 2) == settings.kvHeads(), "key_cache: KV heads");
      expect(context.inputDimension(3, 3) == size, "key_cache: head size");
      expect(blockSize >= 16 && Integer.bitCount(blockSize) == 1, "block size");
      expect(context.inputDimension(8, 1) == size / 2, "cos_cache");
      expect(context.inputDimension(16, 0) == 2, "attention_metadata");
      this.queryKeyValue = memory(0);
      this.keyCache = memory(3);
      this.valueCache = memory(4);
      long outputWidth = (long) settings.heads() * size;
      this.output = all(context.allocateOutput(0, tokens, outputWidth));
    }

    private static void expect(boolean condition, String what) {
      if (!condition) {
        throw new IllegalArgumentException(what);
      }
    }

    private static MemorySegment all(long address) {
      return MemorySegment.ofAddress(address).reinterpret(Long.MAX_VALUE);
    }

    private MemorySegment memory(int input) {
      return all(context.inputAddress(input));
    }

    private int integer(int input, long index) {
      return memory(input).getAtIndex(ValueLayout.JAVA_INT, index);
    }

    private double get(MemorySegment tensor, long index) {
      return type.toFloat(tensor.getAtIndex(ValueLayout.JAVA_SHORT, index));
    }

    private void set(MemorySegment tensor, long index, double value) {
      tensor.setAtIndex(ValueLayout.JAVA_SHORT, index, type.of((float) value));
    }

    void run() {
      int sequences = (int) context.inputDimension(6, 0);
      int longestStep = 0;
      int longest = 0;
      for (int sequence = 0; sequence < sequences; sequence++) {
        int begin = integer(5, sequence);
        int end = integer(5, sequence + 1);
        int past = integer(6, sequence);
        longestStep = Math.max(longestStep, end - begin);
        longest = Math.max(longest, past + end - begin);
        for (int token = begin; token < end; token++) {
          store(sequence, token, past + token - begin);
        }
        for (int token = begin; token < end; token++) {
          attend(sequence, token, past + token - begin);
        }
      }
      expect(integer(16, 0) == longestStep && integer(16, 1) == longest, "attention_metadata");
    }

    private long slot(long block, int position, int kvHead) {
      long token = block * blockSize + position % blockSize;
      return (token * settings.kvHeads() + kvHead) * size;
    }

    private void store(int sequence, int token, int position) {
      for (int head = 0; head < settings.kvHeads(); head++) {
        double[] key = prepared(token, settings.heads() + head, position, 13);
        double[] value = head(token, settings.heads() + settings.kvHeads() + head);
        int block = integer(7, (long) sequence * width + position / blockSize);
        long slot = slot(block, position, head);
        for (int d = 0; d < size; d++) {
          set(keyCache, slot + d, key[d]);
          set(valueCache, slot + d, value[d]);
        }
      }
    }

    private void attend(int sequence, int token, int position) {
      int first = settings.window() < 0 ? 0 : Math.max(0, position + 1 - settings.window());
      int[] blocks = new int[width];
      MemorySegment table = memory(7).asSlice(4L * sequence * width, 4L * width);
      MemorySegment.copy(table, ValueLayout.JAVA_INT, 0, blocks, 0, width);
      for (int head = 0; head < settings.heads(); head++) {
        double[] query = prepared(token, head, position, 12);
        int kvHead = head / (settings.heads() / settings.kvHeads());
        double[] result = new double[size];
        double sum = 0;
        for (int j = first; j <= position; j++) {
          long slot = slot(blocks[j / blockSize], j, kvHead);
          double score = 0;
          for (int d = 0; d < size; d++) {
            score += query[d] * get(keyCache, slot + d);
          }
          double weight = Math.exp(score * settings.scale());
          sum += weight;
          for (int d = 0; d < size; d++) {
            result[d] += weight * get(valueCache, slot + d);
          }
        }
        for (int d = 0; d < size; d++) {
          set(output, ((long) token * settings.heads() + head) * size + d, result[d] / sum);
        }
      }
    }

    private double[] head(int token, int head) {
      long row = settings.heads() + 2L * settings.kvHeads();
      double[] values = new double[size];
      for (int d = 0; d < size; d++) {
        values[d] = get(queryKeyValue, (token * row + head) * size + d);
      }
      return values;
    }

    /** A head of q or k, normed if there is a weight for it, and rotated. */
    private double[] prepared(int token, int head, int position, int weight) {
      double[] x = head(token, head);
      if (context.hasInput(weight)) {
        double squares = 0;
        for (double value : x) {
          squares += value * value;
        }
        double factor = 1 / Math.sqrt(squares / size + settings.epsilon());
        for (int d = 0; d < size; d++) {
          x[d] *= factor * get(memory(weight), d);
        }
      }
      int half = size / 2;
      double[] rotated = new double[size];
      MemorySegment cosines = memory(8);
      MemorySegment sines = memory(9);
      for (int d = 0; d < half; d++) {
        double cosine = get(cosines, (long) position * half + d);
        double sine = get(sines, (long) position * half + d);
        rotated[d] = x[d] * cosine - x[half + d] * sine;
        rotated[half + d] = x[half + d] * cosine + x[d] * sine;
      }
      return rotated;
    }
  }
}
