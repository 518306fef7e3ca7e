package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.runner.SimulatedModelRunner;
import dev.sluice.worker.runner.SimulatedModelRunner.StepHook;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EngineTest {
  private static final int VOCABULARY = 50;
  private static final Geometry GEOMETRY = new Geometry(VOCABULARY, 64, 4, 20, 16, 4);
  private static final EngineConfig CONFIG =
      new EngineConfig(3, 100, 8, Duration.ofSeconds(2), true).withPrefixCache(false);
  private static final Duration GRACE = Duration.ofSeconds(30);

  private final FakeClock clock = new FakeClock(Long.MAX_VALUE - 500); // it wraps around
  private final AtomicInteger steps = new AtomicInteger();
  private final AtomicReference<StepHook> hook = new AtomicReference<>(StepHook.NONE);
  private final SimulatedModelRunner runner =
      new SimulatedModelRunner(
          GEOMETRY,
          batch -> {
            steps.incrementAndGet();
            hook.get().onStep(batch);
          });
  private final Engine engine = new Engine(runner, CONFIG, clock, EngineObserver.NONE);

  @AfterEach
  void everyTestLeavesAnEmptyPool() throws Exception {
    assertThat(engine.close(Duration.ZERO)).isTrue();
    EngineSnapshot snapshot = engine.snapshot();
    assertThat(snapshot.ownedBlocks()).isZero();
    assertThat(snapshot.cachedBlocks()).isZero();
    assertThat(snapshot.runningRequests() + snapshot.waitingRequests()).isZero();
    assertThat(snapshot.pendingPrefillTokens()).isZero();
    runner.close();
  }

  private static GenerationTask.Builder task(int promptTokens) {
    int[] prompt = new int[promptTokens];
    Arrays.setAll(prompt, i -> (7 * i + promptTokens) % VOCABULARY);
    return GenerationTask.builder("request-" + promptTokens, prompt);
  }

  private Recorder run(GenerationTask task) {
    Recorder recorder = new Recorder();
    engine.submit(task, recorder);
    return recorder;
  }

  private Refusal refusal(GenerationTask task) {
    RefusalException e =
        catchThrowableOfType(RefusalException.class, () -> engine.submit(task, new Recorder()));
    return e.refusal();
  }

  // ends

  @Test
  void maximumOfTokens() throws Exception {
    engine.start();
    GenerationTask task = task(5).maxTokens(7).build();
    Recorder.Outcome outcome = run(task).await();
    assertThat(outcome.tokens()).isEqualTo(Reference.output(task, 7, VOCABULARY));
    assertThat(outcome.cause()).contains(new FinishCause.Length());
    assertThat(outcome.summary().outputTokens()).isEqualTo(7);
    assertThat(outcome.summary().promptTokens()).isEqualTo(5);
  }

  @Test
  void withoutMaximumTheContextIsFilled() throws Exception {
    engine.start();
    Recorder.Outcome outcome = run(task(5).build()).await();
    assertThat(outcome.tokens()).hasSize(64 - 5);
    assertThat(outcome.cause()).contains(new FinishCause.Context());
  }

  @Test
  void endOfSequenceAndStopTokenEndAndAreDelivered() throws Exception {
    engine.start();
    List<Integer> free = Reference.output(task(6).build(), 20, VOCABULARY);
    int end = free.get(9);
    List<Integer> cut = free.subList(0, free.indexOf(end) + 1);

    Recorder.Outcome eos = run(task(6).eosTokenIds(end).build()).await();
    assertThat(eos.tokens()).isEqualTo(cut);
    assertThat(eos.cause()).contains(new FinishCause.EndOfSequence(end));

    Recorder.Outcome stop = run(task(6).stopTokenIds(end).build()).await();
    assertThat(stop.tokens()).isEqualTo(cut);
    assertThat(stop.cause()).contains(new FinishCause.StopToken(end));

    Recorder.Outcome ignored =
        run(task(6).eosTokenIds(end).ignoreEos(true).maxTokens(20).build()).await();
    assertThat(ignored.tokens()).isEqualTo(free);
  }

  @Test
  void endingsDoNotComeBeforeTheMinimum() throws Exception {
    engine.start();
    int[] half = new int[VOCABULARY / 2];
    Arrays.setAll(half, i -> 2 * i);
    Recorder.Outcome early = run(task(6).eosTokenIds(half).build()).await();
    Recorder.Outcome late = run(task(6).eosTokenIds(half).minTokens(15).build()).await();
    assertThat(early.tokens()).hasSizeLessThan(15);
    assertThat(late.tokens()).hasSizeGreaterThan(15);
    assertThat(late.tokens().subList(0, 15)).allMatch(token -> token % 2 == 1);
  }

  @Test
  void stopCompletesWithTheTokensThatCount() throws Exception {
    AtomicReference<TaskHandle> handle = new AtomicReference<>();
    Recorder recorder =
        new Recorder() {
          @Override
          public void onToken(int choice, int tokenId, boolean ending, long nanos) {
            super.onToken(choice, tokenId, ending, nanos);
            if (tokens.size() == 5) {
              engine.stop(handle.get(), 0, 3);
              engine.stop(handle.get(), 0, 1);
            }
          }
        };
    handle.set(engine.submit(task(5).build(), recorder));
    engine.start();
    Recorder.Outcome outcome = recorder.await();
    assertThat(outcome.cause()).contains(new FinishCause.Stopped());
    assertThat(outcome.refusal()).isEmpty();
    assertThat(outcome.tokens()).hasSize(5);
    assertThat(outcome.summary().outputTokens()).isEqualTo(3);
    assertThat(steps).hasValue(5);
    engine.stop(handle.get(), 0, 1);
    engine.cancel(handle.get());
  }

  @Test
  void cancelAtEveryStepOfARequestsLife() throws Exception {
    engine.start();
    GenerationTask other = task(9).maxTokens(30).build();
    GenerationTask victim = task(30).maxTokens(25).build(); // both do not fit the pool
    List<Integer> expected = Reference.output(other, 30, VOCABULARY);
    List<Integer> full = Reference.output(victim, 25, VOCABULARY);
    int failed = 0;
    for (int cancelAt = 1; cancelAt <= 70; cancelAt++) {
      steps.set(0);
      int at = cancelAt;
      AtomicReference<TaskHandle> handle = new AtomicReference<>();
      AtomicInteger stepsAtEnd = new AtomicInteger();
      CountDownLatch submitted = new CountDownLatch(1);
      hook.set(_ -> {
        awaitQuietly(submitted);
        if (steps.get() == at) {
          engine.cancel(handle.get());
        }
      });
      Recorder cancelled =
          new Recorder() {
            @Override
            public void onFailed(Refusal refusal, GenerationSummary summary) {
              stepsAtEnd.set(steps.get());
              super.onFailed(refusal, summary);
            }
          };
      Recorder survivor = run(other);
      handle.set(engine.submit(victim, cancelled));
      submitted.countDown();
      assertThat(survivor.await().tokens()).isEqualTo(expected);
      Recorder.Outcome outcome = cancelled.await();
      assertThat(outcome.tokens()).isEqualTo(full.subList(0, outcome.tokens().size()));
      if (outcome.refusal().isPresent()) {
        failed++;
        assertThat(outcome.refusal().get()).isInstanceOf(Refusal.Cancelled.class);
        assertThat(stepsAtEnd).as("no further step").hasValue(cancelAt);
      }
      assertThat(survivor.violations).isEmpty();
      assertThat(cancelled.violations).isEmpty();
    }
    assertThat(failed).isGreaterThan(20);
    assertThat(engine.snapshot().cancelled()).isEqualTo(failed);
    assertThat(engine.snapshot().preemptions()).isPositive();
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  // refusals at the door

  @Test
  void promptMustLeaveRoomInTheContext() {
    assertThat(refusal(task(64).build()).message())
        .isEqualTo("prompt: 64 tokens (expected: 1 to 63, one less than the context of 64)");
    assertThat(refusal(task(0).build())).isInstanceOf(Refusal.Invalid.class);
    assertThat(refusal(task(60).maxTokens(5).build()).message())
        .isEqualTo(
            "stopping.max_tokens: 5 (expected: at most 4, which the context of 64 leaves after 60"
                + " prompt tokens)");
  }

  @Test
  void tokenMustBeInTheVocabulary() {
    assertThat(refusal(GenerationTask.builder("r", 1, VOCABULARY).build()).message())
        .isEqualTo("token id: 50 (expected: 0 to 49)");
    assertThat(refusal(task(2).stopTokenIds(-1).build())).isInstanceOf(Refusal.Invalid.class);
  }

  @Test
  void whatCanNeverFitThePoolIsRefusedAndADefaultIsCut() throws Exception {
    Geometry small = new Geometry(VOCABULARY, 64, 4, 5, 16, 4);
    try (SimulatedModelRunner smallRunner = new SimulatedModelRunner(small, StepHook.NONE)) {
      Engine smallEngine = new Engine(smallRunner, CONFIG, clock, EngineObserver.NONE);
      RefusalException e =
          catchThrowableOfType(
              RefusalException.class,
              () -> smallEngine.submit(task(10).maxTokens(12).build(), new Recorder()));
      assertThat(e.refusal())
          .isInstanceOfSatisfying(
              Refusal.Unserviceable.class,
              refusal -> {
                assertThat(refusal.reason()).isEqualTo("EXCEEDS_KV_POOL");
                assertThat(refusal.numbers())
                    .containsEntry("prompt_tokens", "10")
                    .containsEntry("max_output_tokens", "12")
                    .containsEntry("pool_tokens", "21");
              });
      Recorder largest = new Recorder();
      Recorder cut = new Recorder();
      smallEngine.submit(task(10).maxTokens(11).build(), largest);
      smallEngine.submit(task(10).build(), cut);
      smallEngine.start();
      assertThat(largest.await().tokens()).hasSize(11);
      assertThat(cut.await().tokens()).hasSize(11);
      assertThat(cut.await().cause()).contains(new FinishCause.Context());
      assertThat(smallEngine.close(GRACE)).isTrue();
    }
  }

  @Test
  void queueIsBoundedByRequests() throws Exception {
    List<Recorder> taken = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      taken.add(run(task(5).maxTokens(3).build()));
    }
    assertThat(engine.snapshot().waitingRequests()).isEqualTo(3);
    assertThat(engine.snapshot().pendingPrefillTokens()).isEqualTo(15);
    assertThat(refusal(task(5).build()))
        .isInstanceOfSatisfying(
            Refusal.Overloaded.class,
            refusal -> {
              assertThat(refusal.reason()).isEqualTo("QUEUE_FULL");
              assertThat(refusal.retryAfter()).isEqualTo(Duration.ofSeconds(2));
              assertThat(refusal.numbers()).containsEntry("max_waiting_requests", "3");
            });
    engine.start();
    for (Recorder recorder : taken) {
      assertThat(recorder.await().refusal()).isEmpty();
    }
    assertThat(run(task(5).maxTokens(3).build()).await().refusal()).isEmpty();
  }

  @Test
  void queueIsBoundedByTokens() throws Exception {
    Recorder first = run(task(60).maxTokens(1).build());
    assertThat(refusal(task(41).build())).isInstanceOf(Refusal.Overloaded.class);
    Recorder second = run(task(40).maxTokens(1).build());
    engine.start();
    assertThat(first.await().refusal()).isEmpty();
    assertThat(second.await().refusal()).isEmpty();
  }

  // deadlines

  @Test
  void deadlineWhileRunning() throws Exception {
    hook.set(_ -> clock.advance(100));
    Recorder late = run(task(4).deadlineNanos(clock.nanos() + 1000).build());
    Recorder other = run(task(4).maxTokens(20).deadlineNanos(clock.nanos() + 1_000_000).build());
    engine.start();
    Recorder.Outcome outcome = late.await();
    assertThat(outcome.refusal().orElseThrow())
        .isEqualTo(new Refusal.DeadlineExceeded("the deadline passed after 10 output tokens"));
    assertThat(outcome.tokens()).hasSize(10);
    assertThat(other.await().tokens()).hasSize(20);
  }

  @Test
  void deadlineWhileWaiting() throws Exception {
    hook.set(_ -> clock.advance(100));
    Recorder first = run(task(40).maxTokens(20).build());
    Recorder late = run(task(50).deadlineNanos(clock.nanos() + 1000).build());
    engine.start();
    Recorder.Outcome outcome = late.await();
    assertThat(outcome.refusal().orElseThrow())
        .isEqualTo(new Refusal.DeadlineExceeded("the deadline comes before the first token could"));
    assertThat(outcome.summary().timings().queueNanos()).isBetween(300L, 1000L);
    assertThat(outcome.summary().timings().firstScheduledNanos()).isEmpty();
    assertThat(outcome.summary().timings().prefillNanos()).isZero();
    assertThat(first.await().tokens()).hasSize(20);
  }

  @Test
  void deadlineBeforeArrival() {
    assertThat(refusal(task(5).deadlineNanos(clock.nanos()).build()))
        .isInstanceOf(Refusal.DeadlineExceeded.class);
  }

  /** No prediction is needed, nor a retry delay of use. */
  @Test
  void deadlineThatPassedBeforeTheEngineLooked() throws Exception {
    Recorder late = run(task(5).deadlineNanos(clock.nanos() + 1000).build());
    clock.advance(2000);
    engine.start();
    assertThat(late.await().refusal().orElseThrow())
        .isEqualTo(new Refusal.DeadlineExceeded("the deadline passed while the request waited"));
  }

  // timings

  @Test
  void timingsAreThoseOfTheClock() throws Exception {
    hook.set(_ -> clock.advance(steps.get() == 5 ? 500 : 100));
    long arrival = clock.nanos();
    Recorder recorder = run(task(20).maxTokens(4).build());
    clock.advance(30);
    engine.start();
    Recorder.Outcome outcome = recorder.await();
    // chunks of 8, 8, 4 tokens in steps 1 to 3; tokens after steps 3, 4, 5, 6
    assertThat(outcome.summary().timings())
        .isEqualTo(
            new RequestTimings(
                arrival,
                OptionalLong.of(arrival + 30),
                OptionalLong.of(arrival + 330),
                OptionalLong.of(arrival + 330),
                OptionalLong.of(arrival + 1030),
                arrival + 1030,
                500,
                3));
    assertThat(outcome.prefill()).contains(new PrefillSummary(20, 0, 30, 300, 3));
    RequestTimings timings = outcome.summary().timings();
    assertThat(timings.queueNanos()).isEqualTo(30);
    assertThat(timings.prefillNanos()).isEqualTo(300);
    assertThat(timings.ttftNanos()).isEqualTo(330);
    assertThat(timings.decodeNanos()).isEqualTo(700);
    assertThat(timings.itlMeanNanos()).isEqualTo(233);
    assertThat(timings.itlMaxNanos()).isEqualTo(500);
    assertThat(timings.tpotNanos()).isEqualTo(233);
    assertThat(timings.e2eNanos()).isEqualTo(1030);
    assertThat(outcome.summary().prefillChunks()).isEqualTo(3);
  }

  @Test
  void ageOfARunningStepIsSeen() throws Exception {
    List<Long> ages = new ArrayList<>();
    hook.set(_ -> {
      clock.advance(70);
      ages.add(engine.snapshot().stepAgeNanos());
    });
    Recorder recorder = run(task(4).maxTokens(2).build());
    engine.start();
    recorder.await();
    assertThat(ages).containsExactly(70L, 70L);
    engine.close(GRACE);
    assertThat(engine.snapshot().stepAgeNanos()).isZero();
    assertThat(engine.snapshot().stepNanos()).isEqualTo(70);
    assertThat(engine.snapshot().steps()).isEqualTo(2);
    assertThat(engine.snapshot().outputTokens()).isEqualTo(2);
  }

  @Test
  void observerSeesEveryStepAndToken() throws Exception {
    List<String> seen = new ArrayList<>();
    EngineObserver observer =
        new EngineObserver() {
          @Override
          public void onStep(long nanos, int sequences, int prefillTokens, int decodeTokens) {
            seen.add("step " + nanos + " " + sequences + " " + prefillTokens + " " + decodeTokens);
          }

          @Override
          public void onScheduled(GenerationTask task, long queueNanos) {
            seen.add("scheduled " + queueNanos);
          }

          @Override
          public void onFirstToken(GenerationTask task, long ttftNanos) {
            seen.add("first " + ttftNanos);
          }

          @Override
          public void onNextToken(GenerationTask task, long itlNanos) {
            seen.add("next " + itlNanos);
          }

          @Override
          public void onPreempted() {
            seen.add("preempted");
          }
        };
    hook.set(_ -> clock.advance(100));
    Engine observed = new Engine(runner, CONFIG, clock, observer);
    observed.submit(task(10).maxTokens(3).build(), new Recorder());
    clock.advance(7);
    observed.start();
    assertThat(observed.close(GRACE)).isTrue();
    assertThat(seen)
        .containsExactly(
            "scheduled 7",
            "step 100 1 8 0",
            "first 207",
            "step 100 1 2 0",
            "next 100",
            "step 100 1 0 1",
            "next 100",
            "step 100 1 0 1");
  }

  // drain

  @Test
  void drainRefusesNewcomersAndFinishesTheRest() throws Exception {
    Recorder recorder = run(task(5).maxTokens(5).build());
    engine.drain(GRACE);
    assertThat(refusal(task(5).build()))
        .isInstanceOfSatisfying(
            Refusal.Unavailable.class, r -> assertThat(r.reason()).isEqualTo("DRAINING"));
    assertThat(engine.snapshot().state()).isEqualTo(EngineSnapshot.State.DRAINING);
    engine.start();
    assertThat(recorder.await().refusal()).isEmpty();
    engine.undrain();
    assertThat(run(task(5).maxTokens(2).build()).await().refusal()).isEmpty();
  }

  @Test
  void drainFailsWhatTakesLongerThanTheGraceTime() throws Exception {
    hook.set(_ -> clock.advance(100));
    Recorder running = run(task(5).build());
    Recorder waiting = run(task(60).build());
    engine.drain(Duration.ofNanos(1000));
    engine.start();
    for (Recorder recorder : List.of(running, waiting)) {
      assertThat(recorder.await().refusal().orElseThrow())
          .isInstanceOfSatisfying(
              Refusal.Unavailable.class, r -> assertThat(r.reason()).isEqualTo("DRAINING"));
    }
    assertThat(running.await().tokens()).hasSize(10);
  }

  @Test
  void closeEndsTasksOfAnEngineThatNeverStarted() throws Exception {
    Recorder recorder = run(task(5).build());
    assertThat(engine.close(Duration.ZERO)).isTrue();
    assertThat(recorder.await().refusal().orElseThrow()).isInstanceOf(Refusal.Unavailable.class);
    assertThat(steps).hasValue(0);
    assertThat(refusal(task(5).build()))
        .isInstanceOfSatisfying(
            Refusal.Unavailable.class, r -> assertThat(r.reason()).isEqualTo("STOPPED"));
  }

  // faults

  @Test
  void aStepThatFailsOnceIsRepeatedUnseen() throws Exception {
    hook.set(_ -> {
      if (steps.get() % 2 == 1) {
        throw new ModelRunnerException("as told", new IllegalStateException());
      }
    });
    GenerationTask task = task(20).maxTokens(6).build();
    Recorder recorder = run(task);
    engine.start();
    assertThat(recorder.await().tokens()).isEqualTo(Reference.output(task, 6, VOCABULARY));
    assertThat(steps).hasValue(2 * 8);
  }

  @Test
  void aStepThatFailsTwiceFailsItsRequestsOnly() throws Exception {
    hook.set(_ -> {
      if (steps.get() <= 2) {
        throw new ModelRunnerException("as told", new IllegalStateException());
      }
    });
    // two chunks of 8 fill the first step
    List<Recorder> inTheStep = List.of(run(task(30).build()), run(task(31).build()));
    GenerationTask other = task(6).maxTokens(4).build();
    Recorder waiting = run(other);
    engine.start();
    for (Recorder recorder : inTheStep) {
      assertThat(recorder.await().refusal().orElseThrow()).isInstanceOf(Refusal.Internal.class);
      assertThat(recorder.await().tokens()).isEmpty();
    }
    assertThat(waiting.await().tokens()).isEqualTo(Reference.output(other, 4, VOCABULARY));
    assertThat(engine.snapshot().state()).isEqualTo(EngineSnapshot.State.SERVING);
  }

  @Test
  void anErrorEndsTheEngineAndEveryRequestHearsOfIt() throws Exception {
    hook.set(_ -> {
      throw new LinkageError("as told");
    });
    Recorder running = run(task(60).build());
    Recorder waiting = run(task(30).build());
    engine.start();
    assertThat(running.await().refusal().orElseThrow()).isInstanceOf(Refusal.Internal.class);
    assertThat(waiting.await().refusal().orElseThrow())
        .isInstanceOfSatisfying(
            Refusal.Unavailable.class, r -> assertThat(r.reason()).isEqualTo("ENGINE_FAILED"));
    assertThat(refusal(task(5).build()))
        .isInstanceOfSatisfying(
            Refusal.Unavailable.class, r -> assertThat(r.reason()).isEqualTo("ENGINE_FAILED"));
    assertThat(engine.snapshot().state()).isEqualTo(EngineSnapshot.State.FAILED);
  }

  @Test
  void aListenerThatThrowsHarmsNobodyElse() throws Exception {
    engine.start();
    GenerationTask other = task(7).maxTokens(12).build();
    List<Integer> expected = Reference.output(other, 12, VOCABULARY);
    for (String callback : List.of("prefilled", "token", "choice", "complete", "failed")) {
      Recorder throwing =
          new Recorder() {
            @Override
            public void onPrefilled(PrefillSummary summary) {
              super.onPrefilled(summary);
              fault("prefilled");
            }

            @Override
            public void onToken(int choice, int tokenId, boolean ending, long nanos) {
              super.onToken(choice, tokenId, ending, nanos);
              fault("token");
              if (callback.equals("failed")) {
                throw new IllegalStateException("token");
              }
            }

            @Override
            public void onChoiceFinished(int choice, FinishCause finishCause) {
              super.onChoiceFinished(choice, finishCause);
              fault("choice");
            }

            @Override
            public void onComplete(GenerationSummary summary) {
              super.onComplete(summary);
              fault("complete");
            }

            @Override
            public void onFailed(Refusal refusal, GenerationSummary summary) {
              super.onFailed(refusal, summary);
              fault("failed");
            }

            private void fault(String here) {
              if (here.equals(callback)) {
                throw new AssertionError("as told in " + here);
              }
            }
          };
      Recorder survivor = run(other);
      engine.submit(task(5).maxTokens(3).build(), throwing);
      assertThat(survivor.await().tokens()).isEqualTo(expected);
      assertThat(throwing.await().refusal().isPresent()).isEqualTo(!callback.equals("complete"));
      assertThat(throwing.violations).isEmpty();
    }
  }
}
