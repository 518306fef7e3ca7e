package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.KernelContext.Parallel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Random sequences with their queries, keys and values, that can be attended in steps cut in any
 * way, by the kernel and by a plain implementation in double precision.
 */
final class AttentionWorld {
  /** Tokens {@code from} to {@code to - 1} of a sequence. */
  record Chunk(int sequence, int from, int to) {}

  final AttentionShape shape;
  final KvType kvType;
  final int[] lengths;
  private final boolean normalized;
  private final float[] queryNorm; // [headSize]
  private final float[] keyNorm;
  private final float[][] queries; // of each sequence: [length, heads * headSize]
  private final float[][] keys; // [length, kvHeads * headSize]
  private final float[][] values;
  private final int[][] blocks;
  private final int blockCount;
  private final float[] cosine; // [maxLength, headSize / 2]
  private final float[] sine;
  private final double[][] storedKeys; // what the latest run left in the cache
  private final double[][] storedValues;

  /**
   * @param normalized whether queries and keys are normalized
   */
  AttentionWorld(
      AttentionShape shape, KvType kvType, int[] lengths, boolean normalized, Random random) {
    this.shape = shape;
    this.kvType = kvType;
    this.lengths = lengths.clone();
    this.normalized = normalized;
    this.queryNorm = random(random, shape.headSize(), 2);
    this.keyNorm = random(random, shape.headSize(), 2);
    int n = lengths.length;
    this.storedKeys = new double[n][];
    this.storedValues = new double[n][];
    queries = new float[n][];
    keys = new float[n][];
    values = new float[n][];
    blocks = new int[n][];
    int maxLength = 0;
    int total = 3; // some blocks belong to nobody
    for (int length : lengths) {
      maxLength = Math.max(maxLength, length);
      total += Math.ceilDiv(length, 16);
    }
    blockCount = total;
    List<Integer> ids = new ArrayList<>();
    for (int i = 0; i < total; i++) {
      ids.add(i);
    }
    Collections.shuffle(ids, random);
    for (int s = 0; s < n; s++) {
      queries[s] = random(random, lengths[s] * shape.heads() * shape.headSize(), 2);
      keys[s] = random(random, lengths[s] * shape.kvHeads() * shape.headSize(), 2);
      values[s] = random(random, lengths[s] * shape.kvHeads() * shape.headSize(), 1);
      blocks[s] = new int[Math.ceilDiv(lengths[s], 16)];
      for (int b = 0; b < blocks[s].length; b++) {
        blocks[s][b] = ids.removeLast();
      }
    }
    int half = shape.headSize() / 2;
    cosine = new float[maxLength * half];
    sine = new float[maxLength * half];
    for (int i = 0; i < cosine.length; i++) {
      int position = i / half;
      double angle = position * Math.pow(10000, -(i % half) / (double) half);
      cosine[i] = (float) Math.cos(angle);
      sine[i] = (float) Math.sin(angle);
    }
  }

  private static float[] random(Random random, int size, float scale) {
    float[] result = new float[size];
    for (int i = 0; i < size; i++) {
      result[i] = (float) random.nextGaussian() * scale;
    }
    return result;
  }

  /** One step per sequence, each whole. */
  List<List<Chunk>> alone() {
    List<List<Chunk>> steps = new ArrayList<>();
    for (int s = 0; s < lengths.length; s++) {
      steps.add(List.of(new Chunk(s, 0, lengths[s])));
    }
    return steps;
  }

  /** Steps that mix sequences and cut them at random places, single tokens among them. */
  List<List<Chunk>> shuffled(Random random, int maxChunk) {
    List<List<Chunk>> steps = new ArrayList<>();
    int[] done = new int[lengths.length];
    while (true) {
      List<Chunk> step = new ArrayList<>();
      boolean left = false;
      for (int s = 0; s < lengths.length; s++) {
        if (done[s] == lengths[s]) {
          continue;
        }
        left = true;
        if (random.nextInt(3) > 0) {
          int chunk = random.nextInt(4) == 0 ? 1 : 1 + random.nextInt(maxChunk);
          int to = Math.min(lengths[s], done[s] + chunk);
          step.add(new Chunk(s, done[s], to));
          done[s] = to;
        }
      }
      if (!left) {
        return steps;
      }
      if (!step.isEmpty()) {
        steps.add(step);
      }
    }
  }

  /**
   * Runs the kernel over steps; returns the output of each sequence, [length, heads * headSize].
   *
   * @param fused whether queries, keys and values share one matrix
   */
  float[][] run(List<List<Chunk>> steps, int threads, boolean fused, Parallel parallel) {
    float[][] outputs = new float[lengths.length][];
    for (int s = 0; s < lengths.length; s++) {
      outputs[s] = new float[queries[s].length];
    }
    try (Arena arena = Arena.ofShared()) {
      PagedAttention attention = new PagedAttention(shape, kvType, threads);
      List<KvTensor> tensors = kvType.tensors(shape.kvHeads(), shape.headSize(), 16);
      MemorySegment[] caches = new MemorySegment[4];
      for (int i = 0; i < caches.length; i++) {
        caches[i] =
            arena.allocate(i < tensors.size() ? blockCount * tensors.get(i).blockBytes() : 4, 64);
        // Whatever was never written must not be read; all ones are NaN in every type but int8.
        caches[i].fill((byte) -1);
      }
      AttentionCall call = attention.call();
      call.keyCache = caches[0].address();
      call.valueCache = caches[1].address();
      call.keyScales = caches[2].address();
      call.valueScales = caches[3].address();
      call.cosine = arena.allocateFrom(ValueLayout.JAVA_FLOAT, cosine).address();
      call.sine = arena.allocateFrom(ValueLayout.JAVA_FLOAT, sine).address();
      if (normalized) {
        call.queryNorm = arena.allocateFrom(ValueLayout.JAVA_FLOAT, queryNorm).address();
        call.keyNorm = arena.allocateFrom(ValueLayout.JAVA_FLOAT, keyNorm).address();
      }
      for (List<Chunk> step : steps) {
        runStep(attention, step, fused, parallel, outputs);
      }
      readBack(caches);
    }
    return outputs;
  }

  /** Takes keys and values out of the cache, by what {@link KvType} says of its layout. */
  private void readBack(MemorySegment[] caches) {
    int heads = shape.kvHeads();
    int size = shape.headSize();
    for (int s = 0; s < lengths.length; s++) {
      storedKeys[s] = new double[keys[s].length];
      storedValues[s] = new double[values[s].length];
      for (int i = 0; i < keys[s].length; i++) {
        int token = i / (heads * size);
        int head = i / size % heads;
        int d = i % size;
        int slot = token % 16;
        long entry = (long) blocks[s][token / 16] * heads + head;
        storedKeys[s][i] = element(true, caches[0], caches[2], entry, slot, d);
        storedValues[s][i] = element(false, caches[1], caches[3], entry, slot, d);
      }
    }
  }

  /** One dimension of one token's key or value. */
  private double element(
      boolean key, MemorySegment cache, MemorySegment scales, long entry, int slot, int d) {
    int size = shape.headSize();
    return switch (kvType) {
      case FLOAT32 -> {
        long place = key ? d * 16L + slot : (d / 16 * 16L + slot) * 16 + d % 16;
        yield cache.getAtIndex(ValueLayout.JAVA_FLOAT, entry * 16 * size + place);
      }
      case BF16 -> {
        long block = key ? size / 2 * 16L : (size + 31) / 32 * 256L;
        long pair = key ? d / 2 * 16L + slot : (d / 32 * 16L + slot) * 16 + d % 16;
        long place = (entry * block + pair) * 2 + (key ? d % 2 : d / 16 % 2);
        yield Float.intBitsToFloat(cache.getAtIndex(ValueLayout.JAVA_SHORT, place) << 16);
      }
      case INT8 -> {
        long word = key ? d / 4 * 16L + slot : (d / 16 * 4L + slot / 4) * 16 + d % 16;
        int index = 3 - (key ? d % 4 : slot % 4);
        byte value = cache.getAtIndex(ValueLayout.JAVA_BYTE, (entry * 4 * size + word) * 4 + index);
        yield value * (double) scales.getAtIndex(ValueLayout.JAVA_FLOAT, entry * 16 + slot);
      }
    };
  }

  /**
   * The largest error of what the latest run stored, in units of what the type's rounding allows.
   */
  double storingError() {
    double worst = 0;
    for (int s = 0; s < lengths.length; s++) {
      double[] exactKeys = rotate(normalize(keys[s], keyNorm), shape.kvHeads());
      double[] exactValues = new double[values[s].length];
      for (int i = 0; i < exactValues.length; i++) {
        exactValues[i] = values[s][i];
      }
      worst = Math.max(worst, storingError(exactKeys, storedKeys[s]));
      worst = Math.max(worst, storingError(exactValues, storedValues[s]));
    }
    return worst;
  }

  private double storingError(double[] exact, double[] stored) {
    int size = shape.headSize();
    double worst = 0;
    for (int at = 0; at < exact.length; at += size) {
      double largest = 0;
      for (int d = 0; d < size; d++) {
        largest = Math.max(largest, Math.abs(exact[at + d]));
      }
      for (int d = 0; d < size; d++) {
        double allowed =
            switch (kvType) {
              case FLOAT32 -> largest * 0x1p-22;
              case BF16 -> Math.abs(exact[at + d]) * 0x1p-8 + largest * 0x1p-22;
              case INT8 -> largest / 254 + largest * 0x1p-20;
            };
        worst = Math.max(worst, Math.abs(exact[at + d] - stored[at + d]) / allowed);
      }
    }
    return worst;
  }

  private void runStep(
      PagedAttention attention,
      List<Chunk> step,
      boolean fused,
      Parallel parallel,
      float[][] outputs) {
    int queryWidth = shape.heads() * shape.headSize();
    int keyWidth = shape.kvHeads() * shape.headSize();
    int tokens = step.stream().mapToInt(c -> c.to - c.from).sum();
    int width = 1;
    for (Chunk c : step) {
      width = Math.max(width, Math.ceilDiv(c.to, 16));
    }
    int[] cumulative = new int[step.size() + 1];
    int[] past = new int[step.size()];
    int[] table = new int[step.size() * width];
    int rowWidth = fused ? queryWidth + 2 * keyWidth : queryWidth;
    float[] q = new float[tokens * rowWidth];
    float[] k = new float[tokens * keyWidth];
    float[] v = new float[tokens * keyWidth];
    int row = 0;
    for (int i = 0; i < step.size(); i++) {
      Chunk c = step.get(i);
      past[i] = c.from;
      for (int b = 0; b < Math.ceilDiv(c.to, 16); b++) {
        table[i * width + b] = blocks[c.sequence][b];
      }
      for (int t = c.from; t < c.to; t++, row++) {
        System.arraycopy(queries[c.sequence], t * queryWidth, q, row * rowWidth, queryWidth);
        float[] keyTarget = fused ? q : k;
        float[] valueTarget = fused ? q : v;
        int keyAt = fused ? row * rowWidth + queryWidth : row * keyWidth;
        int valueAt = fused ? keyAt + keyWidth : keyAt;
        System.arraycopy(keys[c.sequence], t * keyWidth, keyTarget, keyAt, keyWidth);
        System.arraycopy(values[c.sequence], t * keyWidth, valueTarget, valueAt, keyWidth);
      }
      cumulative[i + 1] = row;
    }
    try (Arena arena = Arena.ofShared()) {
      AttentionCall call = attention.call();
      call.query = arena.allocateFrom(ValueLayout.JAVA_FLOAT, q).address();
      call.queryStride = 4L * rowWidth;
      call.keyValueStride = fused ? call.queryStride : 4L * keyWidth;
      call.key =
          fused
              ? call.query + 4L * queryWidth
              : arena.allocateFrom(ValueLayout.JAVA_FLOAT, k).address();
      call.value =
          fused
              ? call.key + 4L * keyWidth
              : arena.allocateFrom(ValueLayout.JAVA_FLOAT, v).address();
      call.cumulativeLengths = arena.allocateFrom(ValueLayout.JAVA_INT, cumulative).address();
      call.pastLengths = arena.allocateFrom(ValueLayout.JAVA_INT, past).address();
      call.blockTable = arena.allocateFrom(ValueLayout.JAVA_INT, table).address();
      call.tableWidth = width;
      call.sequences = step.size();
      call.tokens = tokens;
      MemorySegment output = arena.allocate(ValueLayout.JAVA_FLOAT, (long) tokens * queryWidth);
      call.output = output.address();
      attention.run(parallel);
      row = 0;
      for (Chunk c : step) {
        MemorySegment.copy(
            output,
            ValueLayout.JAVA_FLOAT,
            4L * row * queryWidth,
            outputs[c.sequence],
            c.from * queryWidth,
            (c.to - c.from) * queryWidth);
        row += c.to - c.from;
      }
    }
  }

  /**
   * What the output should be for the keys and values that the latest run stored, computed plainly
   * in double precision.
   */
  double[][] reference() {
    double[][] outputs = new double[lengths.length][];
    for (int s = 0; s < lengths.length; s++) {
      outputs[s] = new double[queries[s].length];
      int heads = shape.heads();
      int kvHeads = shape.kvHeads();
      int size = shape.headSize();
      double[] rotatedQueries = rotate(normalize(queries[s], queryNorm), heads);
      double[] rotatedKeys = storedKeys[s];
      for (int t = 0; t < lengths[s]; t++) {
        for (int h = 0; h < heads; h++) {
          int kvHead = h / shape.group();
          double[] weights = new double[t + 1];
          double max = Double.NEGATIVE_INFINITY;
          int first = (int) Math.max(0, t - (long) shape.window() + 1);
          for (int j = first; j <= t; j++) {
            for (int d = 0; d < size; d++) {
              weights[j] +=
                  rotatedQueries[(t * heads + h) * size + d]
                      * rotatedKeys[(j * kvHeads + kvHead) * size + d]
                      * shape.scale();
            }
            max = Math.max(max, weights[j]);
          }
          double sum = 0;
          for (int j = first; j <= t; j++) {
            weights[j] = Math.exp(weights[j] - max);
            sum += weights[j];
          }
          for (int j = first; j <= t; j++) {
            for (int d = 0; d < size; d++) {
              outputs[s][(t * heads + h) * size + d] +=
                  weights[j] / sum * storedValues[s][(j * kvHeads + kvHead) * size + d];
            }
          }
        }
      }
    }
    return outputs;
  }

  private double[] normalize(float[] source, float[] weights) {
    double[] result = new double[source.length];
    int size = shape.headSize();
    for (int at = 0; at < source.length; at += size) {
      double squares = 0;
      for (int d = 0; d < size; d++) {
        squares += (double) source[at + d] * source[at + d];
      }
      double factor = 1 / Math.sqrt(squares / size + shape.normEpsilon());
      for (int d = 0; d < size; d++) {
        result[at + d] = normalized ? source[at + d] * factor * weights[d] : source[at + d];
      }
    }
    return result;
  }

  private double[] rotate(double[] source, int heads) {
    double[] result = new double[source.length];
    int size = shape.headSize();
    int half = size / 2;
    for (int i = 0; i < source.length / size; i++) {
      int position = i / heads;
      for (int d = 0; d < half; d++) {
        double c = cosine[position * half + d];
        double s = sine[position * half + d];
        double x1 = source[i * size + d];
        double x2 = source[i * size + half + d];
        result[i * size + d] = x1 * c - x2 * s;
        result[i * size + half + d] = x2 * c + x1 * s;
      }
    }
    return result;
  }
}
