package dev.sluice.worker.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.worker.model.ModelFileException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigDecimal;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Rounding to 16 bits. */
final class HalfTypeProperties {
  @Property(seed = "1")
  void everyHalfSurvivesTheWayThroughFloat(@ForAll HalfType type, @ForAll short half) {
    float value = type.toFloat(half);
    if (Float.isNaN(value)) {
      assertThat(type.toFloat(type.of(value))).isNaN();
    } else {
      assertThat(type.of(value)).isEqualTo(half);
    }
  }

  /** Against exact arithmetic: no neighbour is nearer, and of two as near the even one is taken. */
  @Property(tries = 5000, seed = "2")
  void roundsToTheNearestAndTiesToEven(@ForAll HalfType type, @ForAll int bits) {
    float value = Float.intBitsToFloat(bits);
    if (!(Math.abs(value) <= type.largest())) {
      return;
    }
    short half = type.of(value);
    BigDecimal error = distance(type, half, value);
    for (int step : new int[] {-1, 1}) {
      short neighbour = (short) (half + step);
      if (!Float.isFinite(type.toFloat(neighbour)) || crossesZero(half, neighbour)) {
        continue;
      }
      int nearer = error.compareTo(distance(type, neighbour, value));
      assertThat(nearer).isNotPositive();
      if (nearer == 0) {
        assertThat(half & 1).isZero();
      }
    }
  }

  private static boolean crossesZero(short half, short neighbour) {
    return (half < 0) != (neighbour < 0);
  }

  private static BigDecimal distance(HalfType type, short half, float value) {
    return new BigDecimal(type.toFloat(half)).subtract(new BigDecimal(value)).abs();
  }

  @Property(seed = "3")
  void keepsSignInfinityAndNaN(@ForAll HalfType type) {
    assertThat(type.toFloat(type.of(-0f))).isEqualTo(-0f);
    assertThat(type.toFloat(type.of(Float.POSITIVE_INFINITY))).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(type.toFloat(type.of(Float.NaN))).isNaN();
    assertThat(type.toFloat(type.of(Float.intBitsToFloat(0x7f800001)))).isNaN();
    assertThat(type.toFloat(type.of(type.largest()))).isEqualTo(type.largest());
  }

  @Example
  void weightsAreRounded() {
    TestCheckpoint checkpoint = new TestCheckpoint("w", 1f, -2.5f, 1.0004f);
    HalfWeight weight = new HalfWeight(weight(3), HalfType.FLOAT16);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment target = arena.allocate(weight.initializers().getFirst().bytes());
      weight.read(checkpoint, List.of(target));

      assertThat(target.toArray(ValueLayout.JAVA_SHORT))
          .containsExactly((short) 0x3c00, (short) 0xc100, (short) 0x3c00);
    }
  }

  @Example
  void weightsThatDoNotFitAreRefused() {
    TestCheckpoint checkpoint = new TestCheckpoint("w", 1f, 70_000f);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment target = arena.allocate(4);
      assertThatThrownBy(
              () -> new HalfWeight(weight(2), HalfType.FLOAT16).read(checkpoint, List.of(target)))
          .isInstanceOf(ModelFileException.class)
          .hasMessage("w: element 1 is 70000.0 (expected with float16: at most 65504.0)");
      new HalfWeight(weight(2), HalfType.BFLOAT16).read(checkpoint, List.of(target));
    }
  }

  private static FloatWeight weight(long size) {
    return new FloatWeight("w", List.of("w"), List.of(size));
  }
}
