package dev.sluice.worker.kernel;

import jdk.incubator.vector.FloatVector;

/**
 * Rotary position embedding, halves not interleaved: (x1, x2) to (x1 c - x2 s, x2 c + x1 s); before
 * it, in models that have one, an RMS norm of the head.
 *
 * <p>Threading: one object per thread. Allocates nothing after construction.
 */
final class Rotary {
  private final int headSize;
  private final float epsilon;
  private final float[] parts = new float[Lanes.LOGICAL];

  Rotary(AttentionShape shape) {
    this.headSize = shape.headSize();
    this.epsilon = shape.normEpsilon();
  }

  /**
   * Normalizes, rotates and scales one head.
   *
   * @param source float [headSize]
   * @param norm float [headSize], the weights of the norm; 0: no norm
   * @param cosine float [headSize / 2], of the token's position
   * @param sine the same
   * @param target receives [headSize] from {@code at}
   */
  void rotate(long source, long norm, long cosine, long sine, float scale, float[] target, int at) {
    boolean normalized = norm != 0;
    float factor = normalized ? inverseRootMeanSquare(source) : 1f;
    int half = headSize / 2;
    long halfBytes = 4L * half;
    for (int i = 0; i < half; i += Lanes.WIDTH) {
      // The last vectors may overlap those before: they give the same values again.
      int first = Math.min(i, half - Lanes.WIDTH);
      long offset = 4L * first;
      FloatVector c = Lanes.load(cosine + offset);
      FloatVector s = Lanes.load(sine + offset);
      FloatVector x1 = Lanes.load(source + offset);
      FloatVector x2 = Lanes.load(source + halfBytes + offset);
      if (normalized) {
        x1 = x1.mul(factor).mul(Lanes.load(norm + offset));
        x2 = x2.mul(factor).mul(Lanes.load(norm + halfBytes + offset));
      }
      x1.mul(c).sub(x2.mul(s)).mul(scale).intoArray(target, at + first);
      x2.mul(c).add(x1.mul(s)).mul(scale).intoArray(target, at + half + first);
    }
  }

  private float inverseRootMeanSquare(long source) {
    for (int lane = 0; lane < Lanes.LOGICAL; lane += Lanes.WIDTH) {
      FloatVector squares = FloatVector.zero(Lanes.SPECIES);
      for (int i = lane; i < headSize; i += Lanes.LOGICAL) {
        FloatVector x = Lanes.load(source + 4L * i);
        squares = x.fma(x, squares);
      }
      squares.intoArray(parts, lane);
    }
    return (float) (1 / Math.sqrt(Lanes.sum(parts) / headSize + epsilon));
  }
}
