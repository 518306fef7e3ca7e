package dev.sluice.worker.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * One row of logits where the model left it, in blocks of {@value #BLOCK} tokens whose largest
 * logits are known, so that whoever looks for likely tokens skips most of the row.
 *
 * <pre>
 *   logits  float [tokens], native memory
 *   weight  e^((logit - largest logit) / temperature), 1 for the most likely token
 * </pre>
 *
 * <p>Threading: one object per thread. Allocates nothing after construction.
 */
public final class LogitRow {
  /** Tokens of a block. */
  public static final int BLOCK = 128;

  /** Values of {@link #weigh(float[], int, float)} are worked on in groups of so many. */
  public static final int GROUP = Lanes.LOGICAL;

  private final int tokens;
  private final float[] maxima; // [blocks]
  private final float[] parts = new float[Lanes.LOGICAL];
  private final MemorySegment tail; // the last block, filled up with minus infinity
  private final int fullBlocks;
  private long row;
  private float maximum;

  /**
   * @param tokens of a row, at least 1
   */
  public LogitRow(int tokens) {
    this.tokens = tokens;
    this.maxima = new float[Math.ceilDiv(tokens, BLOCK)];
    this.fullBlocks = tokens / BLOCK;
    this.tail = Arena.ofAuto().allocate(ValueLayout.JAVA_FLOAT, BLOCK);
    for (int i = 0; i < BLOCK; i++) {
      tail.setAtIndex(ValueLayout.JAVA_FLOAT, i, Float.NEGATIVE_INFINITY);
    }
  }

  /**
   * Turns to a row, which must stay as it is while this object is used.
   *
   * @param address of its logits
   */
  public void read(long address) {
    row = address;
    if (fullBlocks < maxima.length) {
      for (int i = fullBlocks * BLOCK; i < tokens; i++) {
        tail.setAtIndex(ValueLayout.JAVA_FLOAT, i - fullBlocks * BLOCK, logit(i));
      }
    }
    float largest = Float.NEGATIVE_INFINITY;
    for (int block = 0; block < maxima.length; block++) {
      maxima[block] = maximum(address(block));
      largest = Math.max(largest, maxima[block]);
    }
    maximum = largest;
  }

  /** The vector's maximum is that of {@link Math#max}: not a number if one lane is none. */
  private static float maximum(long block) {
    FloatVector largest = Lanes.load(block);
    for (int i = Lanes.WIDTH; i < BLOCK; i += Lanes.WIDTH) {
      largest = largest.max(Lanes.load(block + (long) Float.BYTES * i));
    }
    return largest.reduceLanes(VectorOperators.MAX);
  }

  private long address(int block) {
    return block < fullBlocks ? row + (long) Float.BYTES * BLOCK * block : tail.address();
  }

  public int tokens() {
    return tokens;
  }

  public int blocks() {
    return maxima.length;
  }

  /** Where a block ends, in tokens. */
  public int end(int block) {
    return Math.min((block + 1) * BLOCK, tokens);
  }

  public float logit(int token) {
    return Lanes.getFloat(row + (long) Float.BYTES * token);
  }

  /** Logarithm of a token's weight. */
  public float exponent(int token, float temperature) {
    return (logit(token) - maximum) / temperature;
  }

  /** The place of a token among all, from 1; of equal logits the lowest id comes first. */
  public int rank(int token) {
    float own = logit(token);
    int before = 0;
    for (int b = 0; b < maxima.length; b++) {
      if (maxima[b] < own) {
        continue;
      }
      if (b == token / BLOCK) {
        for (int other = b * BLOCK; other < end(b); other++) {
          before += logit(other) > own || (logit(other) == own && other < token) ? 1 : 0;
        }
      } else {
        before += b < token / BLOCK ? countReaching(address(b), own) : countAbove(address(b), own);
      }
    }
    return before + 1;
  }

  /** Logits of a block above another; the compiler wants to know the comparison. */
  private static int countAbove(long block, float other) {
    int count = 0;
    for (int i = 0; i < BLOCK; i += Lanes.WIDTH) {
      FloatVector logits = Lanes.load(block + (long) Float.BYTES * i);
      count += logits.compare(VectorOperators.GT, other).trueCount();
    }
    return count;
  }

  /** Logits of a block that reach another. */
  private static int countReaching(long block, float other) {
    int count = 0;
    for (int i = 0; i < BLOCK; i += Lanes.WIDTH) {
      FloatVector logits = Lanes.load(block + (long) Float.BYTES * i);
      count += logits.compare(VectorOperators.GE, other).trueCount();
    }
    return count;
  }

  /** The largest logit; not a number if one of the row is none. */
  public float maximum() {
    return maximum;
  }

  /** The largest logit of a block. */
  public float maximum(int block) {
    return maxima[block];
  }

  /** Copies the largest logits of all blocks. */
  public void copyMaxima(float[] target) {
    System.arraycopy(maxima, 0, target, 0, maxima.length);
  }

  /** The first token with the largest logit, which must be a number. */
  public int mostLikely() {
    int block = 0;
    while (maxima[block] != maximum) {
      block++;
    }
    long at = address(block);
    for (int i = 0; ; i += Lanes.WIDTH) {
      VectorMask<Float> equal = Lanes.load(at + (long) Float.BYTES * i).eq(maximum);
      if (equal.anyTrue()) {
        return block * BLOCK + i + equal.firstTrue();
      }
    }
  }

  /**
   * The weights of a block's tokens; returns their sum.
   *
   * @param weights receives [BLOCK]; 0 beyond the row's end
   */
  public float weigh(int block, float temperature, float[] weights) {
    long at = address(block);
    for (int lane = 0; lane < Lanes.LOGICAL; lane += Lanes.WIDTH) {
      FloatVector sum = FloatVector.zero(Lanes.SPECIES);
      for (int i = lane; i < BLOCK; i += Lanes.LOGICAL) {
        FloatVector weight = weightOf(Lanes.load(at + (long) Float.BYTES * i), temperature);
        weight.intoArray(weights, i);
        sum = sum.add(weight);
      }
      sum.intoArray(parts, lane);
    }
    return Lanes.sum(parts);
  }

  /**
   * Turns logits into weights.
   *
   * @param values [count, rounded up to a multiple of {@value #GROUP}]; what lies beyond count does
   *     not matter
   */
  public void weigh(float[] values, int count, float temperature) {
    for (int i = 0; i < count; i += Lanes.WIDTH) {
      weightOf(Lanes.load(values, i), temperature).intoArray(values, i);
    }
  }

  /** The weight of a logit up to the largest one. */
  private FloatVector weightOf(FloatVector logits, float temperature) {
    return Lanes.exp(logits.sub(maximum).div(temperature));
  }
}
