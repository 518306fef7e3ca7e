package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.worker.engine.Milestone.Kind;
import dev.sluice.worker.runner.SimulatedModelRunner;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a request's trace is told of its way. */
class MilestonesTest {
  /** 96 tokens in the cache, 16 in a step. */
  private static final ModelRunner.Geometry TIGHT =
      new ModelRunner.Geometry(200, 128, 4, 24, 16, 4);

  @Test
  void chunksPreemptionsAndReturnsAreTold() throws Exception {
    FakeClock clock = new FakeClock(1_000);
    try (SimulatedModelRunner runner = new SimulatedModelRunner(TIGHT, _ -> clock.advance(100))) {
      Engine engine = new Engine(runner, EngineConfig.defaults(), clock, EngineObserver.NONE);
      Recorder first = new Recorder();
      Recorder second = new Recorder();
      engine.submit(task("a", 1), first); // 40 + 40 tokens each: one has to make room
      engine.submit(task("b", 2), second);
      engine.start();
      List<Recorder.Outcome> outcomes = List.of(first.await(), second.await());
      assertThat(engine.close(Duration.ofSeconds(10))).isTrue();
      for (Recorder.Outcome outcome : outcomes) {
        GenerationSummary summary = outcome.summary();
        List<Milestone> milestones = summary.milestones();
        assertThat(count(milestones, Kind.PREFILL_CHUNK)).isEqualTo(summary.prefillChunks());
        assertThat(count(milestones, Kind.PREEMPTED)).isEqualTo(summary.preemptions());
        assertThat(count(milestones, Kind.RESUMED)).isEqualTo(summary.preemptions());
        assertThat(milestones).extracting(Milestone::nanos).isSorted();
        assertThat(milestones.getFirst().kind()).isEqualTo(Kind.PREFILL_CHUNK);
      }
      assertThat(outcomes).anyMatch(outcome -> outcome.summary().preemptions() > 0);
      List<Milestone> undisturbed =
          outcomes.stream()
              .map(outcome -> outcome.summary())
              .filter(summary -> summary.preemptions() == 0)
              .findFirst()
              .orElseThrow()
              .milestones();
      assertThat(undisturbed.stream().mapToInt(Milestone::tokens).sum()).isEqualTo(40);
    }
  }

  @Test
  void moreThanAreKeptAreNotTold() {
    Milestones milestones = new Milestones();
    for (int i = 0; i < 2 * Milestones.MOST; i++) {
      milestones.add(Kind.PREEMPTED, i, 0);
    }
    assertThat(milestones.toList()).hasSize(Milestones.MOST);
    assertThat(milestones.toList().getLast().nanos()).isEqualTo(Milestones.MOST - 1);
  }

  private static long count(List<Milestone> milestones, Kind kind) {
    return milestones.stream().filter(milestone -> milestone.kind() == kind).count();
  }

  private static GenerationTask task(String id, int seed) {
    int[] prompt = new int[40];
    Arrays.setAll(prompt, i -> (7 * i + seed) % 200);
    return GenerationTask.builder(id, prompt).maxTokens(40).build();
  }
}
