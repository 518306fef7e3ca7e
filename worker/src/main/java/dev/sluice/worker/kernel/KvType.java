package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.ElementType;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * How keys and values are held between steps. With H KV heads of size D, a block of 16 tokens is
 *
 * <pre>
 *             keys             values                    scales of keys, of values
 *   float32   [H, D, 16]       [H, D/16, 16, 16]
 *   bf16      [H, D/2, 16, 2]  [H, D/32, 16, 16, 2]
 *   int8      [H, D/4, 16, 4]  [H, D/16, 4, 16, 4]       float [H, 16]
 * </pre>
 *
 * so that 64 bytes always have a token in each of 16 lanes for keys, a dimension for values. What
 * shares 32 bits: neighbouring dimensions of keys, 2 or 4; dimensions of bf16 values that are 16
 * apart, with zeros for those missing to a multiple of 32; 4 neighbouring tokens of int8 values.
 */
public enum KvType {
  /** As computed: the reference. */
  FLOAT32,
  /** Rounded to 8 bits of precision, half the memory: the default. */
  BF16,
  /** Rounded to 255 levels with a scale for each token and head: about a quarter of the memory. */
  INT8;

  private static final long LINE = 16;
  private static final String KEYS = "key_cache";
  private static final String VALUES = "value_cache";

  /** The names on the command line, for messages. */
  public static String labels() {
    return Arrays.stream(values()).map(KvType::label).collect(Collectors.joining(", "));
  }

  /** The name on the command line, such as {@code bf16}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The tensors of a layer, in the order in which a graph takes them. */
  public List<KvTensor> tensors(long kvHeads, long headSize, long blockSize) {
    return switch (this) {
      case FLOAT32 ->
          List.of(
              KvTensor.of(KEYS, ElementType.FLOAT, kvHeads, headSize, blockSize),
              KvTensor.of(VALUES, ElementType.FLOAT, kvHeads, headSize / LINE, blockSize, LINE));
      case BF16 ->
          List.of(
              KvTensor.of(KEYS, ElementType.BFLOAT16, kvHeads, headSize / 2, blockSize, 2),
              KvTensor.of(
                  VALUES,
                  ElementType.BFLOAT16,
                  kvHeads,
                  Math.ceilDiv(headSize, 2 * LINE),
                  blockSize,
                  LINE,
                  2));
      case INT8 ->
          List.of(
              KvTensor.of(KEYS, ElementType.INT8, kvHeads, headSize / 4, blockSize, 4),
              KvTensor.of(
                  VALUES, ElementType.INT8, kvHeads, headSize / LINE, blockSize / 4, LINE, 4),
              KvTensor.of("key_scale_cache", ElementType.FLOAT, kvHeads, blockSize),
              KvTensor.of("value_scale_cache", ElementType.FLOAT, kvHeads, blockSize));
    };
  }
}
