package dev.sluice.router.admission;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TokenBucketTest {
  private static final long SECOND = 1_000_000_000;

  /** 600 tokens per minute, 10 per second, and 100 at once. */
  private final TokenBucket bucket = new TokenBucket(600, 10 * SECOND, 0);

  @Test
  void whatARequestCostsMayPutItIntoDebtThatIsPaidBeforeTheNext() {
    assertThat(bucket.waitNanos(1, 0)).isEmpty();
    bucket.spend(90, 0); // a prompt
    assertThat(bucket.waitNanos(1, 0)).isEmpty(); // 10 are left
    bucket.spend(210, 0); // output, as it comes
    assertThat(bucket.tokens(0)).isEqualTo(-200);
    assertThat(bucket.waitNanos(1, 0)).hasValue(20 * SECOND + 1);
    assertThat(bucket.waitNanos(1, 19 * SECOND)).hasValue(SECOND + 1);
    assertThat(bucket.waitNanos(1, 20 * SECOND + 1)).isEmpty();
  }

  @Test
  void nothingIsSavedUpBeyondTheBurst() {
    bucket.spend(50, 0);
    assertThat(bucket.tokens(1_000 * SECOND)).isEqualTo(100);
  }

  @Test
  void everyRouterHasItsPart() {
    assertThat(bucket.waitNanos(4, 0)).isEmpty();
    assertThat(bucket.tokens(0)).isEqualTo(25);
    bucket.spend(125, 0);
    assertThat(bucket.waitNanos(4, 0)).hasValue(40 * SECOND + 1); // 2.5 per second
    assertThat(bucket.waitNanos(1, 0)).hasValue(10 * SECOND + 1); // the others have gone
  }

  @Test
  void whatWasChargedAndNotComputedIsPutBack() {
    bucket.spend(100, 0);
    assertThat(bucket.waitNanos(1, 0)).isPresent();
    bucket.spend(-100, 0);
    assertThat(bucket.tokens(0)).isEqualTo(100);
    bucket.spend(-100, 0);
    assertThat(bucket.tokens(0)).isEqualTo(100);
  }
}
