package dev.sluice.worker.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CounterRandomTest {
  private static final int DRAWS = 100_000;

  /** Pinned: another function would give every stored seed another meaning. */
  @Test
  void isTheSameForever() {
    assertThat(CounterRandom.bits(0, 0, 0)).isEqualTo(0x5cfcc391b726f0d3L);
    assertThat(CounterRandom.bits(1, 0, 0)).isEqualTo(0x134ecfd5a8f5cc3bL);
    assertThat(CounterRandom.bits(-1, 3, 1000)).isEqualTo(0xdb5cfb5dafe88c54L);
  }

  @Test
  void positionsOfAChoiceAreUniform() {
    int[] counts = new int[256];
    for (int i = 0; i < DRAWS; i++) {
      counts[(int) (CounterRandom.uniform(42, 0, i) * 256)]++;
    }
    assertThat(chiSquare(counts)).isBetween(180.0, 340.0); // 255 degrees of freedom
  }

  /** Callers count seeds up, and n > 1 choices share a seed. */
  @Test
  void neighbouringSeedsAndChoicesAreUniformAndIndependent() {
    int[] seeds = new int[256];
    int[] choices = new int[256];
    int[] pairs = new int[256];
    for (int i = 0; i < DRAWS; i++) {
      seeds[(int) (CounterRandom.uniform(i, 0, 0) * 256)]++;
      choices[(int) (CounterRandom.uniform(7, i, 0) * 256)]++;
      int a = (int) (CounterRandom.uniform(i, 0, 5) * 16);
      int b = (int) (CounterRandom.uniform(i + 1L, 0, 5) * 16);
      pairs[16 * a + b]++;
    }
    assertThat(chiSquare(seeds)).isBetween(180.0, 340.0);
    assertThat(chiSquare(choices)).isBetween(180.0, 340.0);
    assertThat(chiSquare(pairs)).isBetween(180.0, 340.0);
  }

  @Test
  void everyBitIsSetHalfOfTheTime() {
    int[] ones = new int[64];
    for (int i = 0; i < DRAWS; i++) {
      long bits = CounterRandom.bits(3, 1, i);
      for (int bit = 0; bit < 64; bit++) {
        ones[bit] += (int) (bits >>> bit & 1);
      }
    }
    for (int count : ones) {
      assertThat(count).isBetween(DRAWS / 2 - 800, DRAWS / 2 + 800); // 5 standard deviations
    }
  }

  @Test
  void numbersDoNotRepeat() {
    Set<Long> seen = new HashSet<>();
    for (int seed = 0; seed < 10; seed++) {
      for (int choice = 0; choice < 10; choice++) {
        for (int position = 0; position < 1000; position++) {
          assertThat(seen.add(CounterRandom.bits(seed, choice, position))).isTrue();
        }
      }
    }
  }

  private static double chiSquare(int[] counts) {
    double expected = (double) DRAWS / counts.length;
    double sum = 0;
    for (int count : counts) {
      sum += (count - expected) * (count - expected) / expected;
    }
    return sum;
  }
}
