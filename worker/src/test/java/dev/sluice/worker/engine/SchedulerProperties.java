package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.worker.engine.ModelRunner.Geometry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class SchedulerProperties {
  private static final int CONTEXT = 64;
  private static final long MILLI = 1_000_000;
  private static final Duration GOAL = Duration.ofMillis(5);

  /** Tenants that always have prompts waiting get the same, up to a step's tokens and a prompt. */
  @Property(tries = 100, seed = "2")
  void tenantsOfAClassGetTheSame(
      @ForAll @IntRange(min = 2, max = 5) int tenants,
      @ForAll @IntRange(min = 8, max = 100) int budget,
      @ForAll @IntRange(min = 1, max = 6) int rows,
      @ForAll long seed) {
    Random random = new Random(seed);
    Geometry geometry = new Geometry(100, CONTEXT, 4, 10_000, budget, rows);
    KvBlocks kv = new KvBlocks(geometry, true, true, new CacheJournal());
    Scheduler scheduler =
        new Scheduler(
            geometry, Integer.MAX_VALUE, SchedulingConfig.defaults(), kv, new Speculation(0));
    int[] longest = random.ints(tenants, 1, CONTEXT).toArray();
    long[] served = new long[tenants];
    long[] waiting = new long[tenants];
    List<Request> live = new ArrayList<>();
    Map<Sequence, Integer> reached = new HashMap<>();
    for (int pass = 0, serial = 0; pass < 200; pass++) {
      for (int tenant = 0; tenant < tenants; tenant++) {
        while (waiting[tenant] < 2L * budget) {
          int prompt = 1 + random.nextInt(longest[tenant]);
          Request request = request(serial++, prompt, tenant, 0);
          scheduler.add(request, 0);
          live.add(request);
          waiting[tenant] += prompt;
        }
      }
      StepPlan plan = scheduler.plan(0);
      for (int i = 0; i < plan.size(); i++) {
        Sequence sequence = plan.sequence(i);
        int tenant = Integer.parseInt(sequence.request().task().tenant());
        int end = sequence.computed() + plan.count(i);
        int computed = end - Math.min(end, reached.getOrDefault(sequence, 0)); // never before
        reached.merge(sequence, end, Math::max);
        served[tenant] += computed;
        waiting[tenant] -= computed;
      }
      commit(plan, kv, scheduler, live);
      long most = Arrays.stream(served).max().orElseThrow();
      long least = Arrays.stream(served).min().orElseThrow();
      assertThat(most - least).isLessThanOrEqualTo(2L * (budget + CONTEXT));
    }
  }

  /** However much comes with a higher priority, and from however many tenants. */
  @Property(tries = 50, seed = "3")
  void nobodyStarves(
      @ForAll @IntRange(min = 1, max = 4) int rows,
      @ForAll @IntRange(min = 0, max = 20) int extraBlocks,
      @ForAll long seed) {
    Random random = new Random(seed);
    Geometry geometry = new Geometry(100, CONTEXT, 4, 16 + extraBlocks, 16, rows);
    KvBlocks kv = new KvBlocks(geometry, true, true, new CacheJournal());
    Scheduler scheduler =
        new Scheduler(
            geometry, Integer.MAX_VALUE, SchedulingConfig.defaults(), kv, new Speculation(0));
    List<Request> live = new ArrayList<>();
    Request low = request(0, CONTEXT - 10, 0, -5);
    scheduler.add(low, 0);
    live.add(low);
    long now = 0;
    for (int serial = 1; live.contains(low); now += 100 * MILLI) {
      while (scheduler.waitingCount() < 5) {
        Request high = request(serial, 1 + random.nextInt(CONTEXT - 2), serial, 1);
        scheduler.add(high, now);
        live.add(high);
        serial++;
      }
      StepPlan plan = scheduler.plan(now);
      commit(plan, kv, scheduler, live);
      scheduler.checkIntegrity();
      assertThat(now).isLessThan(60_000 * MILLI); // ageing takes half of it
    }
  }

  private static Request request(int serial, int prompt, int tenant, int priority) {
    GenerationTask task =
        GenerationTask.builder("r" + serial, new int[prompt])
            .tenant(Integer.toString(tenant))
            .priority(priority)
            .build();
    BlockHashes alone = new BlockHashes("salt" + serial, 4);
    return new Request(task, new Recorder(), 1, serial, 0, alone);
  }

  @Property(tries = 300, seed = "1")
  void everyPassKeepsTheRulesAndEverybodyEnds(
      @ForAll @IntRange(min = 1, max = 24) int budget,
      @ForAll @IntRange(min = 1, max = 8) int rows,
      @ForAll @IntRange(min = 1, max = 10) int chunk,
      @ForAll @IntRange(min = 1, max = 5) int blockSize,
      @ForAll @IntRange(min = 0, max = 30) int extraBlocks,
      @ForAll boolean fair,
      @ForAll boolean hasGoal,
      @ForAll long seed) {
    Random random = new Random(seed);
    int blocks = Math.ceilDiv(CONTEXT, blockSize) + extraBlocks;
    Geometry geometry = new Geometry(100, CONTEXT, blockSize, blocks, budget, rows);
    Optional<Duration> goal = hasGoal ? Optional.of(GOAL) : Optional.empty();
    SchedulingPolicy policy = fair ? SchedulingPolicy.FAIR : SchedulingPolicy.FCFS;
    KvBlocks kv = new KvBlocks(geometry, true, true, new CacheJournal());
    Scheduler scheduler =
        new Scheduler(
            geometry,
            chunk,
            new SchedulingConfig(policy, goal, Duration.ofMillis(80), Map.of("t1", 2.5)),
            kv,
            new Speculation(0));
    long now = Long.MAX_VALUE - Duration.ofMillis(100).toNanos(); // it wraps around
    List<Request> live = new ArrayList<>(); // in order of arrival
    int submitted = 0;
    int passes = 0;
    while (submitted < 25 || !live.isEmpty()) {
      while (submitted < 25 && (live.isEmpty() || random.nextInt(3) == 0)) {
        Request request = request(submitted++, blockSize, random);
        scheduler.add(request, now);
        live.add(request);
      }
      if (!live.isEmpty() && random.nextInt(20) == 0) {
        scheduler.remove(live.remove(random.nextInt(live.size())));
        scheduler.checkIntegrity();
        continue;
      }
      StepPlan plan = scheduler.plan(now);
      verifyPlan(plan, geometry, chunk, live);
      if (!fair) {
        verifyFirstComeFirstServed(plan, geometry, live);
      }
      scheduler.checkIntegrity();
      long nanos = MILLI + plan.tokens() * MILLI / 4;
      scheduler.budget().observe(nanos);
      now += nanos;
      commit(plan, kv, scheduler, live);
      scheduler.checkIntegrity();
      assertThat(++passes).as("passes").isLessThan(25 * 2 * CONTEXT * 25);
    }
    assertThat(scheduler.isEmpty()).isTrue();
    assertThat(scheduler.pool().owned()).isZero();
    assertThat(scheduler.pendingPrefillTokens()).isZero();
  }

  private static Request request(int serial, int blockSize, Random random) {
    int prompt = 1 + random.nextInt(CONTEXT - 1);
    int output = 1 + random.nextInt(CONTEXT - prompt);
    GenerationTask task =
        GenerationTask.builder("r" + serial, new int[prompt])
            .maxTokens(output)
            .tenant("t" + random.nextInt(3))
            .priority(random.nextInt(3) - 1)
            .build();
    return new Request(task, new Recorder(), output, serial, 0, new BlockHashes("", blockSize));
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
      if (i < plan.decodes()) {
        assertThat(sequence.isDecoding()).isTrue();
      }
    }
    assertThat(tokens).isEqualTo(plan.tokens());
  }

  private static void verifyFirstComeFirstServed(
      StepPlan plan, Geometry geometry, List<Request> live) {
    Set<Sequence> planned = new HashSet<>();
    for (int i = 0; i < plan.size(); i++) {
      planned.add(plan.sequence(i));
    }
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

  private static void commit(StepPlan plan, KvBlocks kv, Scheduler scheduler, List<Request> live) {
    List<Request> full = new ArrayList<>();
    for (int i = 0; i < plan.size(); i++) {
      Sequence sequence = plan.sequence(i);
      kv.advance(sequence, plan.count(i), 0);
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
