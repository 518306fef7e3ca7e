package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.CustomOp;
import dev.sluice.worker.ort.ElementType;
import dev.sluice.worker.ort.KernelContext;
import dev.sluice.worker.ort.KernelInfo;
import java.util.List;

/**
 * {@code sluice.PagedAttention}: {@link PagedAttention} with the inputs and attributes of {@code
 * com.microsoft.PagedAttention}, which has no CPU kernel, in float32.
 *
 * <pre>
 *   0 query                      [T, heads * D], or with keys and values behind if 1 and 2 are absent
 *   1 key, 2 value               [T, kvHeads * D]; optional
 *   3 key_cache, 4 value_cache   {@link AttentionCall}; written in place
 *   5 cumulative_sequence_length [B + 1]
 *   6 past_seqlens               [B]
 *   7 block_table                [B, width]
 *   8 cos_cache, 9 sin_cache     [positions, D / 2]
 *   12 q_norm_weight, 13 k_norm_weight   [D]; optional, both or none
 *   output                       [T, heads * D]
 *   attributes                   num_heads, kv_num_heads, scale, local_window_size and
 *                                qk_norm_epsilon as there; head_size
 * </pre>
 */
public final class PagedAttentionOp implements CustomOp {
  private static final int QUERY = 0;
  private static final int KEY = 1;
  private static final int VALUE = 2;
  private static final int KEY_CACHE = 3;
  private static final int VALUE_CACHE = 4;
  private static final int CUMULATIVE_LENGTHS = 5;
  private static final int PAST_LENGTHS = 6;
  private static final int BLOCK_TABLE = 7;
  private static final int COSINE = 8;
  private static final int SINE = 9;
  private static final int QUERY_NORM = 12;
  private static final int KEY_NORM = 13;
  private static final long NO_WINDOW = -1;
  private static final float DEFAULT_NORM_EPSILON = 1e-6f;

  private final int threads;

  /**
   * @param threads of the sessions that use the operator
   */
  public PagedAttentionOp(int threads) {
    this.threads = threads;
  }

  @Override
  public String name() {
    return "PagedAttention";
  }

  @Override
  public List<Parameter> inputs() {
    return List.of(
        Parameter.required(ElementType.FLOAT),
        Parameter.optional(ElementType.FLOAT),
        Parameter.optional(ElementType.FLOAT),
        Parameter.required(ElementType.FLOAT),
        Parameter.required(ElementType.FLOAT),
        Parameter.required(ElementType.INT32),
        Parameter.required(ElementType.INT32),
        Parameter.required(ElementType.INT32),
        Parameter.required(ElementType.FLOAT),
        Parameter.required(ElementType.FLOAT),
        Parameter.optional(ElementType.INT32), // slot_mapping: not supported
        Parameter.optional(ElementType.FLOAT), // head_sink: not supported
        Parameter.optional(ElementType.FLOAT),
        Parameter.optional(ElementType.FLOAT));
  }

  @Override
  public List<Parameter> outputs() {
    return List.of(Parameter.required(ElementType.FLOAT));
  }

  @Override
  public Kernel createKernel(KernelInfo info) {
    long window = info.intAttribute("local_window_size", NO_WINDOW);
    AttentionShape shape =
        new AttentionShape(
            Math.toIntExact(info.intAttribute("num_heads")),
            Math.toIntExact(info.intAttribute("kv_num_heads")),
            Math.toIntExact(info.intAttribute("head_size")),
            info.floatAttribute("scale"),
            window == NO_WINDOW ? AttentionShape.NO_WINDOW : Math.toIntExact(window),
            info.floatAttribute("qk_norm_epsilon", DEFAULT_NORM_EPSILON));
    return new NodeKernel(shape, threads);
  }

  private static final class NodeKernel implements Kernel {
    private final AttentionShape shape;
    private final PagedAttention attention;

    NodeKernel(AttentionShape shape, int threads) {
      this.shape = shape;
      this.attention = new PagedAttention(shape, threads);
    }

    @Override
    public void compute(KernelContext context) {
      long headBytes = 4L * shape.headSize();
      long queryBytes = shape.heads() * headBytes;
      long keyBytes = shape.kvHeads() * headBytes;
      AttentionCall call = attention.call();
      call.tokens = Math.toIntExact(context.inputDimension(QUERY, 0));
      call.query = context.inputAddress(QUERY);
      if (context.hasInput(KEY)) {
        call.queryStride = queryBytes;
        call.key = context.inputAddress(KEY);
        call.value = context.inputAddress(VALUE);
        call.keyValueStride = keyBytes;
      } else {
        call.queryStride = queryBytes + 2 * keyBytes;
        call.key = call.query + queryBytes;
        call.value = call.key + keyBytes;
        call.keyValueStride = call.queryStride;
      }
      call.keyCache = context.inputAddress(KEY_CACHE);
      call.valueCache = context.inputAddress(VALUE_CACHE);
      call.cumulativeLengths = context.inputAddress(CUMULATIVE_LENGTHS);
      call.pastLengths = context.inputAddress(PAST_LENGTHS);
      call.sequences = Math.toIntExact(context.inputDimension(PAST_LENGTHS, 0));
      call.blockTable = context.inputAddress(BLOCK_TABLE);
      call.tableWidth = Math.toIntExact(context.inputDimension(BLOCK_TABLE, 1));
      call.cosine = context.inputAddress(COSINE);
      call.sine = context.inputAddress(SINE);
      boolean normalized = context.hasInput(QUERY_NORM);
      call.queryNorm = normalized ? context.inputAddress(QUERY_NORM) : 0;
      call.keyNorm = normalized ? context.inputAddress(KEY_NORM) : 0;
      call.output = context.allocateOutput(0, call.tokens, (long) shape.heads() * shape.headSize());
      attention.run(context.parallel());
    }
  }
}
