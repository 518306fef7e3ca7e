package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.worker.engine.ModelRunner.Geometry;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class SchedulerProperties {
  private static final int CONTEXT = 64;

  @Property(tries = 300, seed = "1")
  void everyPassKeepsTheRulesAndEverybodyEnds(
      @ForAll @IntRange(min = 1, max = 24) int budget,
      @ForAll @IntRange(min = 1, max = 8) int rows,
      @ForAll @IntRange(min = 1, max = 10) int chunk,
      @ForAll @IntRange(min = 1, max = 5) int blockSize,
      @ForAll @IntRange(min = 0, max = 30) int extraBlocks,
      @ForAll long seed) {
    Random random = new Random(seed);
    int blocks = Math.ceilDiv(CONTEXT, blockSize) + extraBlocks;
    Geometry geometry = new Geometry(100, CONTEXT, blockSize, blocks, budget, rows);
    Scheduler scheduler = new Scheduler(geometry, chunk);
    List<Request> live = new ArrayList<>(); // in order of arrival
    int submitted = 0;
    int passes = 0;
    while (submitted < 25 || !live.isEmpty()) {
      while (submitted < 25 && (live.isEmpty() || random.nextInt(3) == 0)) {
        Request request = request(submitted++, random);
        scheduler.add(request);
        live.add(request);
      }
      if (!live.isEmpty() && random.nextInt(20) == 0) {
        scheduler.remove(live.remove(random.nextInt(live.size())));
        scheduler.checkIntegrity();
        continue;
      }
      StepPlan plan = scheduler.plan();
      verifyPlan(plan, geometry, chunk, live);
      scheduler.checkIntegrity();
      commit(plan, scheduler, live);
      scheduler.checkIntegrity();
      assertThat(++passes).as("passes").isLessThan(25 * 2 * CONTEXT * 25);
    }
    assertThat(scheduler.isEmpty()).isTrue();
    assertThat(scheduler.pool().owned()).isZero();
    assertThat(scheduler.pendingPrefillTokens()).isZero();
  }

  private static Request request(int serial, Random random) {
    int prompt = 1 + random.nextInt(CONTEXT - 1);
    int output = 1 + random.nextInt(CONTEXT - prompt);
    GenerationTask task =
        GenerationTask.builder("r" + serial, new int[prompt]).maxTokens(output).build();
    return new Request(task, new Recorder(), output, serial, 0);
  }

  private static void verifyPlan(StepPlan plan, Geometry geometry, int chunk, List<Request> live) {
    assertThat(plan.tokens()).isBetween(1, geometry.maxBatchedTokens());
    assertThat(plan.size()).isBetween(1, geometry.maxSequences());
    Set<Sequence> planned = new HashSet<>();
    int tokens = 0;
    for (int i = 0; i < plan.size(); i++) {
      Sequence sequence = plan.sequence(i);
      int count = plan.count(i);
      tokens += count;
      assertThat(planned.add(sequence)).isTrue();
      assertThat(live).contains(sequence.request());
      assertThat(count).isBetween(1, sequence.remaining());
      assertThat(count).isLessThanOrEqualTo(chunk);
      assertThat(sequence.table.size() * geometry.blockSize())
          .isGreaterThanOrEqualTo(sequence.computed() + count);
      assertThat(i < plan.decodes()).isEqualTo(sequence.isDecoding());
    }
    assertThat(tokens).isEqualTo(plan.tokens());
    if (plan.decodes() < geometry.maxBatchedTokens()) {
      assertThat(planned).as("the oldest advances").contains(live.getFirst().sequence(0));
    }
    boolean waits = false; // whoever runs arrived before whoever waits
    for (Request request : live) {
      boolean holds = request.sequence(0).table.size() > 0;
      assertThat(waits && holds).isFalse();
      waits |= !holds;
    }
  }

  private static void commit(StepPlan plan, Scheduler scheduler, List<Request> live) {
    List<Request> full = new ArrayList<>();
    for (int i = 0; i < plan.size(); i++) {
      Sequence sequence = plan.sequence(i);
      sequence.advance(plan.count(i), 0);
      if (sequence.remaining() == 0) {
        sequence.append(0, 0);
        if (sequence.isFull()) {
          full.add(sequence.request());
        }
      }
    }
    for (Request request : full) {
      scheduler.remove(request);
      live.remove(request);
    }
  }
}
