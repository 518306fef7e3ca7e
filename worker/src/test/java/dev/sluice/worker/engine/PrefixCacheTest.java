package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.error.Refusal;
import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.runner.SimulatedModelRunner;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PrefixCacheTest {
  private static final int VOCABULARY = 50;
  private static final Duration GRACE = Duration.ofSeconds(30);

  private final AtomicLong computedTokens = new AtomicLong();
  private final AtomicInteger steps = new AtomicInteger();
  private volatile Runnable hook = () -> {};
  private Optional<Engine> engine = Optional.empty();

  private Engine engine(int blockSize, int blocks, int budget, int rows, boolean prefixCache) {
    Geometry geometry = new Geometry(VOCABULARY, 2048, blockSize, blocks, budget, rows);
    SimulatedModelRunner runner =
        new SimulatedModelRunner(
            geometry,
            batch -> {
              steps.incrementAndGet();
              computedTokens.addAndGet(batch.tokens());
              hook.run();
            });
    EngineConfig config =
        new EngineConfig(1000, 1 << 20, Integer.MAX_VALUE, Duration.ofSeconds(1), true)
            .withPrefixCache(prefixCache);
    engine = Optional.of(new Engine(runner, config, NanoClock.SYSTEM, EngineObserver.NONE));
    return engine.get();
  }

  @AfterEach
  void nothingLeaks() throws Exception {
    assertThat(engine.orElseThrow().close(GRACE)).isTrue();
    EngineSnapshot snapshot = engine.get().snapshot();
    assertThat(snapshot.state()).isEqualTo(EngineSnapshot.State.STOPPED);
    assertThat(snapshot.ownedBlocks()).isZero();
    assertThat(snapshot.runningRequests() + snapshot.waitingRequests()).isZero();
  }

  private static int[] prompt(int shared, int own, int seed) {
    int[] prompt = new int[shared + own];
    Arrays.setAll(prompt, i -> i < shared ? i % 17 : (i * 31 + seed * 7) % VOCABULARY);
    if (own > 1) { // all others differ
      prompt[shared] = seed % VOCABULARY;
      prompt[shared + 1] = seed / VOCABULARY;
    }
    return prompt;
  }

  private static GenerationTask.Builder task(int shared, int own, int seed) {
    return GenerationTask.builder("r" + seed, prompt(shared, own, seed)).maxTokens(4);
  }

  private static Recorder submit(Engine engine, GenerationTask task) {
    Recorder recorder = new Recorder();
    engine.submit(task, recorder);
    return recorder;
  }

  private static int cached(Recorder recorder) throws Exception {
    int cached = recorder.await().summary().cachedPromptTokens();
    assertThat(recorder.await().prefill().orElseThrow().cachedPromptTokens()).isEqualTo(cached);
    return cached;
  }

  @Test
  void aPromptThatBeginsAlikeIsComputedFromItsLastCommonBlockOn() throws Exception {
    Engine engine = engine(16, 100, 64, 8, true);
    engine.start();
    assertThat(cached(submit(engine, task(100, 10, 1).build()))).isZero();
    computedTokens.set(0);
    assertThat(cached(submit(engine, task(100, 10, 2).build()))).isEqualTo(96);
    assertThat(computedTokens).hasValue(14 + 3);
    // the same prompt again: up to the block of its last token
    assertThat(cached(submit(engine, task(100, 10, 1).build()))).isEqualTo(96);
    assertThat(cached(submit(engine, task(96, 0, 0).build()))).isEqualTo(80);
    assertThat(cached(submit(engine, task(97, 0, 0).build()))).isEqualTo(96);
    assertThat(cached(submit(engine, task(16, 0, 0).build()))).isZero();
    assertThat(engine.snapshot().cachedBlocks()).isPositive();
  }

  @Test
  void outputIsFoundAsWell() throws Exception {
    Engine engine = engine(4, 100, 64, 8, true);
    engine.start();
    GenerationTask first = task(0, 10, 3).maxTokens(20).build();
    List<Integer> output = submit(engine, first).await().tokens();
    int[] turn = Arrays.copyOf(first.promptTokens(), 10 + 20 + 5);
    for (int i = 0; i < 20; i++) {
      turn[10 + i] = output.get(i);
    }
    // 29 tokens were computed: the last one of the output never is
    assertThat(cached(submit(engine, GenerationTask.builder("turn", turn).maxTokens(2).build())))
        .isEqualTo(28);
  }

  @Test
  void withAnotherSaltNothingIsFound() throws Exception {
    Engine engine = engine(16, 100, 64, 8, true);
    engine.start();
    assertThat(cached(submit(engine, task(64, 8, 1).cacheSalt("a").build()))).isZero();
    assertThat(cached(submit(engine, task(64, 8, 1).cacheSalt("b").build()))).isZero();
    assertThat(cached(submit(engine, task(64, 8, 1).build()))).isZero();
    assertThat(cached(submit(engine, task(64, 8, 1).cacheSalt("a").build()))).isEqualTo(64);
  }

  @Test
  void withoutTheCacheNothingIsKept() throws Exception {
    Engine engine = engine(16, 100, 64, 8, false);
    engine.start();
    for (int i = 0; i < 2; i++) {
      assertThat(cached(submit(engine, task(64, 8, 1).build()))).isZero();
    }
    assertThat(engine.close(GRACE)).isTrue();
    assertThat(engine.snapshot().freeBlocks()).isEqualTo(100);
  }

  /** 64 requests behind a prompt of 1,024 tokens. */
  @Test
  void aPrefixThatManyShareIsComputedOnce() throws Exception {
    Engine engine = engine(16, 600, 256, 64, true);
    List<Recorder> recorders = new ArrayList<>();
    List<GenerationTask> tasks = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      tasks.add(task(1024, 20, i).maxTokens(1).build());
      recorders.add(submit(engine, tasks.getLast()));
    }
    engine.start();
    int cached = 0;
    for (int i = 0; i < 64; i++) {
      cached += cached(recorders.get(i));
      assertThat(recorders.get(i).await().tokens())
          .isEqualTo(Reference.output(tasks.get(i), 1, VOCABULARY));
    }
    int unique = 1024 + 64 * 20;
    assertThat(computedTokens).hasValue(unique);
    assertThat(cached).isEqualTo(64 * 1044 - unique);
  }

  @Test
  void aPrefixThatManyShareIsPendingOnce() {
    Engine engine = engine(16, 600, 256, 8, true);
    for (int i = 0; i < 64; i++) {
      submit(engine, task(1024, 20, i).maxTokens(1).build());
    }
    while (engine.step()) {
      assertThat(engine.snapshot().pendingPrefillTokens())
          .isEqualTo(1024 + 64 * 20 - computedTokens.get());
    }
    assertThat(computedTokens).hasValue(1024 + 64 * 20);
  }

  @Test
  void aPrefixIsPendingAgainWhenItsFirstRequestIsCancelled() {
    Engine engine = engine(16, 600, 256, 8, true);
    List<TaskHandle> handles = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      handles.add(engine.submit(task(1024, 20, i).maxTokens(1).build(), new Recorder()));
    }
    assertThat(engine.step()).isTrue();
    assertThat(engine.snapshot().pendingPrefillTokens()).isEqualTo(1024 + 64 * 20 - 256);
    engine.cancel(handles.getFirst());
    while (engine.step()) {
      assertThat(engine.snapshot().pendingPrefillTokens())
          .isEqualTo(1024 + 63 * 20 - computedTokens.get());
    }
  }

  @Test
  void whoWaitsForAPrefixTakesOverWhenItsFirstRequestIsCancelled() throws Exception {
    Engine engine = engine(16, 100, 32, 8, true);
    CompletableFuture<TaskHandle> first = new CompletableFuture<>();
    hook =
        () -> {
          if (steps.get() == 3) {
            engine.cancel(first.join());
          }
        };
    Recorder cancelled = new Recorder();
    GenerationTask second = task(256, 8, 2).build();
    first.complete(engine.submit(task(256, 8, 1).build(), cancelled));
    Recorder waiting = submit(engine, second);
    Recorder third = submit(engine, task(256, 8, 3).build());
    engine.start();
    assertThat(waiting.await().tokens()).isEqualTo(Reference.output(second, 4, VOCABULARY));
    assertThat(cancelled.await().refusal().orElseThrow()).isInstanceOf(Refusal.Cancelled.class);
    assertThat(cached(waiting)).isEqualTo(3 * 32);
    assertThat(cached(third)).isEqualTo(256);
    assertThat(computedTokens.get()).isEqualTo(256 + 2 * 8 + 2 * 3);
  }

  @Test
  void whoWaitsForAPrefixTakesOverWhenTheStepFails() throws Exception {
    Engine engine = engine(16, 100, 24, 8, true);
    hook =
        () -> {
          if (steps.get() == 3 || steps.get() == 4) {
            throw new ModelRunnerException("as told", new IllegalStateException());
          }
        };
    Recorder failed = submit(engine, task(256, 8, 1).build());
    GenerationTask second = task(256, 8, 2).build();
    Recorder waiting = submit(engine, second);
    engine.start();
    assertThat(failed.await().refusal().orElseThrow()).isInstanceOf(Refusal.Internal.class);
    assertThat(waiting.await().tokens()).isEqualTo(Reference.output(second, 4, VOCABULARY));
    assertThat(cached(waiting)).isEqualTo(2 * 24); // in the middle of a block
  }

  @Test
  void whatAPreemptedRequestHasComputedIsNotComputedAgain() throws Exception {
    Engine engine = engine(4, 24, 64, 4, true); // 96 tokens
    GenerationTask first = task(0, 20, 1).maxTokens(50).build();
    GenerationTask second = task(0, 21, 2).maxTokens(50).build();
    Recorder one = submit(engine, first);
    Recorder two = submit(engine, second);
    engine.start();
    assertThat(one.await().tokens()).isEqualTo(Reference.output(first, 50, VOCABULARY));
    assertThat(two.await().tokens()).isEqualTo(Reference.output(second, 50, VOCABULARY));
    assertThat(one.await().summary().preemptions() + two.await().summary().preemptions())
        .isPositive();
    assertThat(cached(one)).isZero();
    assertThat(cached(two)).isZero(); // it had computed all of its prompt itself
  }

  @Test
  void contentIsListedAsTheJournalTellsIt() throws Exception {
    Engine engine = engine(4, 30, 64, 4, true);
    CacheContent empty = startAndList(engine);
    assertThat(empty.hashes()).isEmpty();
    for (int i = 0; i < 5; i++) {
      submit(engine, task(8, 30, i).build()).await();
    }
    CacheContent content = engine.cacheContent().get();
    List<String> listed = new ArrayList<>();
    for (int i = 0; i < content.hashes().length; i += 2) {
      listed.add(content.hashes()[i] + " " + content.hashes()[i + 1]);
    }
    List<String> told = new ArrayList<>();
    AtomicInteger removed = new AtomicInteger();
    assertThat(
            engine
                .cacheJournal()
                .read(
                    empty.position(),
                    (high, low, stored) -> {
                      if (stored) {
                        told.add(high + " " + low);
                      } else {
                        told.remove(high + " " + low);
                        removed.incrementAndGet();
                      }
                    }))
        .hasValue(content.position());
    assertThat(removed).hasPositiveValue();
    assertThat(listed).containsExactlyInAnyOrderElementsOf(told);
  }

  private static CacheContent startAndList(Engine engine) throws Exception {
    engine.start();
    return engine.cacheContent().get();
  }
}
