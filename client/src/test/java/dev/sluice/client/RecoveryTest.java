package dev.sluice.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** When a call is made again. Time is the test's. */
final class RecoveryTest {
  private static final RetryPolicy POLICY =
      new RetryPolicy(
          1,
          Duration.ofSeconds(1),
          Duration.ofSeconds(5),
          Duration.ofMillis(100),
          Duration.ofMillis(400));

  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 7); // it wraps around

  private Recovery recovery(RetryPolicy policy, int targets) {
    return new Recovery(policy, targets, nanos::get, () -> 0);
  }

  private static Optional<Duration> lost(Recovery recovery, boolean begun) {
    return recovery.failed(Status.UNAVAILABLE, new Metadata(), begun, begun);
  }

  private void pass(Duration time) {
    nanos.addAndGet(time.toNanos());
  }

  @Test
  void everyTargetIsTriedAtOnceThenWithPausesThatGrow() {
    Recovery recovery = recovery(POLICY, 3);
    assertThat(lost(recovery, true)).contains(Duration.ZERO);
    assertThat(lost(recovery, true)).contains(Duration.ZERO);
    assertThat(lost(recovery, true)).contains(Duration.ofMillis(100));
    assertThat(lost(recovery, true)).contains(Duration.ofMillis(200));
    assertThat(lost(recovery, true)).contains(Duration.ofMillis(400));
    assertThat(lost(recovery, true)).contains(Duration.ofMillis(400));
    recovery.progressed();
    assertThat(lost(recovery, true)).contains(Duration.ZERO);
  }

  @Test
  void theSearchEndsAfterItsTimeAndBeginsAnewWithEveryMessage() {
    Recovery recovery = recovery(POLICY, 1);
    assertThat(lost(recovery, true)).isPresent();
    pass(Duration.ofMillis(4_600));
    assertThat(lost(recovery, true)).isPresent();
    recovery.progressed();
    pass(Duration.ofMinutes(1));
    assertThat(lost(recovery, true)).isPresent();
    pass(Duration.ofMillis(4_900));
    assertThat(lost(recovery, true)).isEmpty();
  }

  @Test
  void aCallThatHasNotBegunHasALimitOfItsOwn() {
    Recovery recovery = recovery(POLICY, 2);
    assertThat(lost(recovery, false)).contains(Duration.ZERO);
    assertThat(lost(recovery, false)).contains(Duration.ofMillis(100));
    pass(Duration.ofMillis(950));
    assertThat(lost(recovery, false)).isEmpty();

    Recovery once = recovery(POLICY.withTimeouts(Duration.ZERO, Duration.ZERO), 2);
    assertThat(lost(once, false)).contains(Duration.ZERO);
    assertThat(lost(once, false)).isEmpty();
    Recovery never = recovery(POLICY.withTimeouts(Duration.ZERO, Duration.ZERO), 2);
    assertThat(lost(never, true)).isEmpty();
  }

  @Test
  void whatTheRequestIsToBlameForIsNeverMadeAgain() {
    for (Status.Code code :
        new Status.Code[] {
          Status.Code.INVALID_ARGUMENT,
          Status.Code.NOT_FOUND,
          Status.Code.FAILED_PRECONDITION,
          Status.Code.DEADLINE_EXCEEDED,
          Status.Code.RESOURCE_EXHAUSTED, // without a delay
          Status.Code.PERMISSION_DENIED,
        }) {
      Recovery recovery = recovery(POLICY, 2);
      assertThat(recovery.failed(code.toStatus(), new Metadata(), true, false)).isEmpty();
      assertThat(recovery.failed(code.toStatus(), new Metadata(), false, false)).isEmpty();
    }
  }
}
