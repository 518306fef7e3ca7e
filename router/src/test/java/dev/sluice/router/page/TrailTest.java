package dev.sluice.router.page;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.v1.Timings;
import dev.sluice.v1.Usage;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What requests note becomes what the page shows. */
class TrailTest {
  private final AtomicLong now = new AtomicLong(1000);
  private final RequestLog log = log(3);

  private RequestLog log(int capacity) {
    return new RequestLog(
        capacity, Clock.fixed(Instant.ofEpochMilli(77), ZoneOffset.UTC), now::get);
  }

  private Trail begin() {
    Trail trail = log.begin("Generate");
    trail.received("id", "trace", "alias");
    trail.arrives("tenant", 5);
    return trail;
  }

  private static Usage usage(int cached, int output) {
    return Usage.newBuilder()
        .setPromptTokens(8)
        .setCachedPromptTokens(cached)
        .setOutputTokens(output)
        .build();
  }

  private RequestRecord only() {
    List<RequestRecord> all = log.after(0);
    assertThat(all).hasSize(1);
    return all.getFirst();
  }

  @Test
  void anAnswerFromOneWorker() {
    Trail trail = begin();
    trail.prepared(40);
    now.addAndGet(100);
    trail.decided(9);
    trail.routed("m", 2);
    trail.attempt("w1");
    now.addAndGet(200);
    trail.started(30, 150);
    trail.firstToken(300);
    now.addAndGet(700);
    trail.finished("length");
    trail.completed(
        usage(4, 16), Timings.newBuilder().setItlMeanNanos(50).setItlMaxNanos(90).build());
    trail.attempted("answered");
    trail.ended("OK");
    assertThat(only())
        .isEqualTo(
            new RequestRecord(
                1,
                77,
                "id",
                "trace",
                "Generate",
                "m",
                "tenant",
                "OK",
                "",
                "length",
                8,
                4,
                16,
                40,
                100,
                false,
                9,
                2,
                OptionalLong.of(300),
                OptionalLong.of(50),
                OptionalLong.of(90),
                0,
                1000,
                List.of(
                    new RequestRecord.Attempt(
                        "w1",
                        "answered",
                        100,
                        OptionalLong.of(300),
                        1000,
                        OptionalLong.of(30),
                        OptionalLong.of(150)))));
    assertThat(log.timeToFirstToken()).hasValue(new LatencyWindow.Quantiles(300, 300));
    assertThat(log.interTokenLatency()).hasValue(new LatencyWindow.Quantiles(50, 50));
  }

  @Test
  void theWorkerThatGoesOnHasTheRestOfTheSums() {
    Trail trail = begin();
    trail.attempt("w1");
    trail.started(30, 150);
    now.addAndGet(500);
    trail.attempted("lost");
    now.addAndGet(20);
    trail.attempt("w2");
    now.addAndGet(200);
    trail.resumed(20);
    now.addAndGet(80);
    trail.completed(
        usage(0, 3), Timings.newBuilder().setQueueNanos(40).setPrefillNanos(330).build());
    trail.attempted("answered");
    trail.ended("OK");
    assertThat(only().interruptedNanos()).isEqualTo(20);
    assertThat(only().attempts())
        .containsExactly(
            new RequestRecord.Attempt(
                "w1",
                "lost",
                0,
                OptionalLong.of(0),
                500,
                OptionalLong.of(30),
                OptionalLong.of(150)),
            new RequestRecord.Attempt(
                "w2",
                "answered",
                520,
                OptionalLong.of(720),
                800,
                OptionalLong.of(10),
                OptionalLong.of(180)));
  }

  @Test
  void anAnswerInOneMessageBeganWhereTheWorkerSays() {
    Trail trail = log.begin("GenerateOnce");
    trail.attempt("w1");
    now.addAndGet(500);
    trail.completed(
        usage(0, 3),
        Timings.newBuilder().setQueueNanos(10).setPrefillNanos(90).setTtftNanos(100).build());
    trail.attempted("answered");
    trail.ended("OK");
    assertThat(only().attempts().getFirst().firstNanos()).hasValue(100);
    assertThat(only().attempts().getFirst().prefillNanos()).hasValue(90);
  }

  @Test
  void aClientThatHangsUpEndsTheAttempt() {
    Trail trail = begin();
    trail.attempt("w1");
    now.addAndGet(60);
    trail.ended("CANCELLED");
    now.addAndGet(60);
    trail.attempted("cancelled"); // the driver comes later, and changes nothing
    trail.ended("CANCELLED");
    assertThat(only().endNanos()).isEqualTo(60);
    assertThat(only().attempts().getFirst().endNanos()).isEqualTo(60);
    assertThat(only().attempts().getFirst().outcome()).isEqualTo("cancelled");
    assertThat(only().failed()).isFalse();
    assertThat(log.failed()).isZero();
  }

  @Test
  void aRefusedRequestWaitedAllItsTime() {
    Trail trail = begin();
    trail.queued();
    now.addAndGet(400);
    trail.refused("QUEUE_TIMEOUT");
    trail.ended("RESOURCE_EXHAUSTED");
    assertThat(only().waitNanos()).isEqualTo(400);
    assertThat(only().queued()).isTrue();
    assertThat(only().reason()).isEqualTo("QUEUE_TIMEOUT");
    assertThat(only().promptTokens()).isEqualTo(5);
    assertThat(log.failed()).isOne();
  }

  @Test
  void onlyTheLastOnesAreRemembered() {
    for (int i = 0; i < 5; i++) {
      begin().ended("OK");
    }
    assertThat(log.after(0)).extracting(RequestRecord::number).containsExactly(3L, 4L, 5L);
    assertThat(log.after(4)).extracting(RequestRecord::number).containsExactly(5L);
    assertThat(log.after(5)).isEmpty();
    assertThat(log.ended()).isEqualTo(5);
  }

  @Test
  void noneAreRememberedIfNoneShallBe() {
    RequestLog none = log(0);
    none.begin("Generate").ended("OK");
    assertThat(none.after(0)).isEmpty();
    assertThat(none.ended()).isOne();
  }

  @Test
  void whatGeneratesNothingIsNotShown() {
    log.begin("Tokenize").ended("OK");
    assertThat(log.ended()).isZero();
  }

  @Test
  void textsOfClientsAreClippedAndAttemptsAreBounded() {
    Trail trail = log.begin("Generate");
    trail.received("x".repeat(1000), "", "y".repeat(1000));
    trail.arrives("z".repeat(1000), 1);
    for (int i = 0; i < 100; i++) {
      trail.attempt("w" + i);
      trail.attempted("busy");
    }
    trail.ended("OK");
    assertThat(only().id()).hasSize(64).endsWith("…");
    assertThat(only().model()).hasSize(64);
    assertThat(only().tenant()).hasSize(64);
    assertThat(only().attempts()).hasSize(16);
    assertThat(only().attempts().getLast().worker()).isEqualTo("w15");
  }
}
