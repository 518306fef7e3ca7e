package dev.sluice.router.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import java.util.Random;
import org.junit.jupiter.api.Test;

class PaceTest {
  private static final long SECOND = 1_000_000_000;

  private final Pace pace = new Pace();
  private long now = SECOND;

  @Test
  void findsTheLineBehindTimesToFirstToken() {
    Random random = new Random(7);
    for (int i = 0; i < 200; i++) {
      int tokens = 10 + random.nextInt(2_000);
      double noise = 0.9 + 0.2 * random.nextDouble();
      pace.prefilled(tokens, Math.round(noise * (20e6 + tokens * 1e5)), now);
      now += SECOND / 10;
    }
    assertThat(pace.prefillNanos(0, now).orElseThrow()).isBetween(0.0, 40e6);
    assertThat(pace.prefillNanos(4_000, now).orElseThrow()).isCloseTo(420e6, withPercentage(10));
  }

  @Test
  void followsAChange() {
    for (int i = 0; i < 400; i++) {
      long tokens = 100 + 37L * (i % 50);
      pace.prefilled(tokens, tokens * (i < 200 ? 1_000_000 : 100_000), now);
      now += SECOND / 10;
    }
    assertThat(pace.prefillNanos(1_000, now).orElseThrow()).isCloseTo(1e8, withPercentage(5));
  }

  @Test
  void whatOnlyShortPromptsToldIsNotStretchedToLongOnes() {
    for (int i = 0; i < 20; i++) {
      pace.prefilled(10 + i % 3, 30_000_000, now);
    }
    assertThat(pace.prefillNanos(4_000, now).orElseThrow()).isCloseTo(30e6, withPercentage(1));
  }

  @Test
  void knowsNothingAtFirstAndForgetsWhatIsNotConfirmed() {
    assertThat(pace.prefillNanos(100, now)).isEmpty();
    assertThat(pace.itlNanos(now)).isEmpty();
    for (int i = 0; i < 5; i++) {
      pace.prefilled(100, SECOND, now);
      pace.decoded(SECOND / 10, now);
    }
    assertThat(pace.prefillNanos(100, now)).isPresent();
    assertThat(pace.itlNanos(now).orElseThrow()).isEqualTo(SECOND / 10.0);
    now += 21 * SECOND;
    assertThat(pace.prefillNanos(100, now)).isEmpty();
    assertThat(pace.itlNanos(now)).isEmpty();
  }

  @Test
  void measuresHowFastTheQueueIsEmptiedWhileThereIsOne() {
    pace.backlogged(true, now);
    assertThat(pace.waitNanos(1_000, now)).isEmpty();
    for (int i = 0; i < 100; i++) {
      now += SECOND / 10;
      pace.drained(100, now); // 1,000 per second
    }
    assertThat(pace.waitNanos(2_000, now).orElseThrow()).isCloseTo(2e9, withPercentage(5));
    pace.backlogged(false, now);
    now += 10 * SECOND; // nothing waits: this time does not count
    pace.backlogged(true, now);
    assertThat(pace.waitNanos(2_000, now).orElseThrow()).isCloseTo(2e9, withPercentage(5));
    now += 10 * SECOND; // all stands still
    assertThat(pace.waitNanos(2_000, now).orElseThrow()).isGreaterThan(10e9);
  }
}
