package dev.sluice.worker.kernel;

import jdk.incubator.vector.FloatVector;

/** Rotary position embedding, halves not interleaved: (x1, x2) to (x1 c - x2 s, x2 c + x1 s). */
final class Rotary {
  private Rotary() {}

  /**
   * Rotates and scales one head.
   *
   * @param source float [headSize]
   * @param cosine float [headSize / 2], of the token's position
   * @param sine the same
   * @param target receives [headSize] from {@code at}
   */
  static void rotate(
      long source, long cosine, long sine, int headSize, float scale, float[] target, int at) {
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
      x1.mul(c).sub(x2.mul(s)).mul(scale).intoArray(target, at + first);
      x2.mul(c).add(x1.mul(s)).mul(scale).intoArray(target, at + half + first);
    }
  }
}
