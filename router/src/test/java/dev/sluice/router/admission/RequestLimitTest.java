package dev.sluice.router.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class RequestLimitTest {
  private static final long SECOND = 1_000_000_000;

  private long now;

  private RequestLimit limit(double perMinute) {
    return new RequestLimit("t", perMinute, 10 * SECOND, () -> now);
  }

  /** How many of {@code tries} per second are let in within ten minutes. */
  private int admitted(RequestLimit limit, int routers, int tries) {
    int admitted = 0;
    for (int i = 0; i < 600 * tries; i++) {
      if (limit.tryAcquire(routers).isEmpty()) {
        admitted++;
      }
      now += SECOND / tries;
    }
    return admitted;
  }

  @Test
  void keepsTheRateExactly() {
    assertThat(admitted(limit(119), 1, 10)).isBetween(1190, 1190 + 20);
    assertThat(admitted(limit(1), 1, 10)).isBetween(10, 11);
  }

  @Test
  void everyRouterHasItsPart() {
    assertThat(admitted(limit(119), 2, 10)).isBetween(595, 595 + 10);
    assertThat(admitted(limit(6), 3, 10)).isBetween(20, 21);
  }

  @Test
  void tellsWhenToComeAgain() {
    RequestLimit limit = limit(12); // 2 in 10 s
    assertThat(limit.tryAcquire(1)).isEmpty();
    assertThat(limit.tryAcquire(1)).isEmpty();
    OptionalLong wait = limit.tryAcquire(1);
    assertThat(wait.orElseThrow()).isBetween(SECOND, 10 * SECOND);
    now += wait.getAsLong();
    assertThat(limit.tryAcquire(1)).isEmpty();
  }
}
