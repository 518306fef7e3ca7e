package dev.sluice.router.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class WorkerBreakerTest {
  private long now = 1;
  private final WorkerBreaker breaker = new WorkerBreaker("w", BreakerOptions.DEFAULTS, () -> now);

  private WorkerBreaker.Pass enter() {
    WorkerBreaker.Pass pass = breaker.pass();
    assertThat(breaker.tryEnter(pass)).isTrue();
    return pass;
  }

  private void fail(int calls) {
    for (int i = 0; i < calls; i++) {
      enter().failed();
    }
  }

  private void answer(int calls) {
    for (int i = 0; i < calls; i++) {
      enter().answered();
    }
  }

  @Test
  void opensWhenHalfOfTheLatestCallsFailed() {
    fail(4);
    assertThat(breaker.admits()).isTrue(); // too few to tell
    answer(1);
    assertThat(breaker.admits()).isFalse();
    assertThat(breaker.tryEnter(breaker.pass())).isFalse();
  }

  @Test
  void whatShowsNothingIsNotCounted() {
    for (int i = 0; i < 100; i++) {
      enter().over(); // a client's error, a full queue, a client that hangs up
    }
    fail(4);
    assertThat(breaker.closed()).isTrue();
    fail(1);
    assertThat(breaker.closed()).isFalse();
  }

  @Test
  void letsAFewProbesThroughAndClosesIfTheyAreAnswered() {
    fail(5);
    now += Duration.ofSeconds(5).toNanos();
    assertThat(breaker.admits()).isFalse();
    now++;
    assertThat(breaker.admits()).isTrue();
    WorkerBreaker.Pass first = enter();
    WorkerBreaker.Pass second = enter();
    assertThat(breaker.tryEnter(breaker.pass())).isFalse();
    second.over(); // showed nothing: another may probe in its place
    WorkerBreaker.Pass third = enter();
    assertThat(breaker.tryEnter(breaker.pass())).isFalse();
    first.answered();
    first.over(); // does not give its place away
    assertThat(breaker.tryEnter(breaker.pass())).isFalse();
    assertThat(breaker.closed()).isFalse();
    third.answered();
    assertThat(breaker.closed()).isTrue();
  }

  @Test
  void aProbeThatFailsOpensItAgain() {
    fail(5);
    now += Duration.ofSeconds(5).toNanos() + 1;
    enter().failed();
    enter().failed();
    assertThat(breaker.admits()).isFalse();
    now += Duration.ofSeconds(5).toNanos() + 1;
    assertThat(breaker.admits()).isTrue();
  }

  @Test
  void aFailureCountsEvenAfterAnAnswer() {
    for (int i = 0; i < 3; i++) { // six words, half of them bad
      WorkerBreaker.Pass pass = enter();
      pass.answered();
      pass.failed();
    }
    assertThat(breaker.closed()).isFalse();
    breaker.reset();
    assertThat(breaker.closed()).isTrue();
  }
}
