package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.CustomOp;
import dev.sluice.worker.ort.ElementType;
import dev.sluice.worker.ort.KernelContext;
import dev.sluice.worker.ort.KernelInfo;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code sluice.PagedAttention}: {@link PagedAttention} with the inputs and attributes of {@code
 * com.microsoft.PagedAttention}, which has no CPU kernel, in float32 with a KV cache of any {@link
 * KvType}.
 *
 * <pre>
 *   0 query                      [T, heads * D], or with keys and values behind if 1 and 2 are absent
 *   1 key, 2 value               [T, kvHeads * D]; optional
 *   3 key_cache, 4 value_cache   {@link KvType}; written in place
 *   5 cumulative_sequence_length [B + 1]
 *   6 past_seqlens               [B]
 *   7 block_table                [B, width]
 *   8 cos_cache, 9 sin_cache     [positions, D / 2]
 *   12 q_norm_weight, 13 k_norm_weight   [D]; optional, both or none
 *   14 k_scale, 15 v_scale       [blocks, kvHeads, 16] with int8, of each token and head, where
 *                                that operator has one scale for all; written in place
 *   output                       [T, heads * D]
 *   attributes                   num_heads, kv_num_heads, scale, local_window_size and
 *                                qk_norm_epsilon as there; head_size
 * </pre>
 *
 * <p>Threading: kernels are made by one thread, while its session is made; see {@link Kernel}.
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
  private static final int KEY_SCALES = 14;
  private static final int VALUE_SCALES = 15;
  private static final long NO_WINDOW = -1;
  private static final float DEFAULT_NORM_EPSILON = 1e-6f;

  private final KvType kvType;
  private final int threads;

  /** Layers of one shape share their working memory: they run one after the other. */
  private final Map<AttentionShape, PagedAttention> attentions = new HashMap<>();

  /**
   * @param threads of the session that uses the operator
   */
  public PagedAttentionOp(KvType kvType, int threads) {
    this.kvType = kvType;
    this.threads = threads;
  }

  @Override
  public String name() {
    return "PagedAttention";
  }

  @Override
  public List<Parameter> inputs() {
    ElementType cached =
        switch (kvType) {
          case FLOAT32 -> ElementType.FLOAT;
          case BF16 -> ElementType.BFLOAT16;
          case INT8 -> ElementType.INT8;
        };
    return List.of(
        Parameter.required(ElementType.FLOAT),
        Parameter.optional(ElementType.FLOAT),
        Parameter.optional(ElementType.FLOAT),
        Parameter.required(cached),
        Parameter.required(cached),
        Parameter.required(ElementType.INT32),
        Parameter.required(ElementType.INT32),
        Parameter.required(ElementType.INT32),
        Parameter.required(ElementType.FLOAT),
        Parameter.required(ElementType.FLOAT),
        Parameter.optional(ElementType.INT32), // slot_mapping: not supported
        Parameter.optional(ElementType.FLOAT), // head_sink: not supported
        Parameter.optional(ElementType.FLOAT),
        Parameter.optional(ElementType.FLOAT),
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
    PagedAttention attention =
        attentions.computeIfAbsent(shape, key -> new PagedAttention(key, kvType, threads));
    return new NodeKernel(shape, kvType, attention);
  }

  private record NodeKernel(AttentionShape shape, KvType kvType, PagedAttention attention)
      implements Kernel {
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
      if (kvType == KvType.INT8) {
        call.keyScales = context.inputAddress(KEY_SCALES);
        call.valueScales = context.inputAddress(VALUE_SCALES);
      }
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
