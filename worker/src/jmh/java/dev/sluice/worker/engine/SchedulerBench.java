package dev.sluice.worker.engine;

import dev.sluice.common.error.Refusal;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One pass of the scheduler with 256 requests running and 10,000 waiting, of a thousand tenants.
 * Between two passes the sequences advance, and whoever is done is replaced by another.
 *
 * <p>{@code mvn -q -Pfast,jmh -pl worker -am test -DskipTests}
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class SchedulerBench {
  private static final int ROWS = 256;
  private static final int WAITING = 10_000;
  private static final int TENANTS = 1000;
  private static final int PROMPT = 256;
  private static final int OUTPUT = 200;
  private static final ModelRunner.Geometry GEOMETRY =
      new ModelRunner.Geometry(100, 1024, 16, 1 << 16, 2048, ROWS);

  @Param({"FAIR", "FCFS"})
  SchedulingPolicy policy = SchedulingPolicy.FAIR;

  private final Random random = new Random(7);
  private Scheduler scheduler =
      new Scheduler(
          GEOMETRY, Integer.MAX_VALUE, SchedulingConfig.defaults(), blocks(), new Speculation(0));
  private StepPlan plan = new StepPlan(1);
  private KvBlocks blocks = blocks();
  private long serial;
  private long now;

  private static KvBlocks blocks() {
    return new KvBlocks(GEOMETRY, true, true, new CacheJournal());
  }

  /** Fills rows and queue. */
  @Setup(Level.Trial)
  public void fill() {
    blocks = blocks();
    scheduler =
        new Scheduler(
            GEOMETRY,
            Integer.MAX_VALUE,
            SchedulingConfig.defaults().with(policy),
            blocks,
            new Speculation(0));
    while (scheduler.waitingCount() < WAITING + ROWS) {
      add();
    }
    while (scheduler.runningCount() < ROWS) {
      plan = scheduler.plan(now);
      advance();
    }
  }

  /** What the engine does between two passes. */
  @Setup(Level.Invocation)
  public void advance() {
    for (int i = 0; i < plan.size(); i++) {
      Sequence sequence = plan.sequence(i);
      blocks.advance(sequence, plan.count(i), now);
      if (sequence.remaining() == 0) {
        sequence.append(0, now);
      }
    }
    for (int i = 0; i < plan.size(); i++) {
      Sequence sequence = plan.sequence(i);
      if (sequence.isFull()) {
        scheduler.remove(sequence.request());
        add();
      }
    }
    plan.clear();
    now += 1_000_000;
  }

  private void add() {
    int[] prompt = random.ints(PROMPT, 0, 100).toArray();
    GenerationTask task =
        GenerationTask.builder("r" + serial, prompt)
            .tenant("t" + random.nextInt(TENANTS))
            .priority(random.nextInt(3))
            .build();
    int output = 1 + random.nextInt(2 * OUTPUT);
    scheduler.add(
        new Request(
            task, new Nobody(), output, serial++, now, new BlockHashes("", GEOMETRY.blockSize())),
        now);
  }

  /** The pass. */
  @Benchmark
  public StepPlan pass() {
    plan = scheduler.plan(now);
    return plan;
  }

  /** Hears nothing. */
  private static final class Nobody implements GenerationListener {
    @Override
    public void onPrefilled(PrefillSummary prefill) {}

    @Override
    public void onToken(int choice, int tokenId, boolean ending, long nanos) {}

    @Override
    public void onChoiceFinished(int choice, FinishCause cause) {}

    @Override
    public void onComplete(GenerationSummary summary) {}

    @Override
    public void onFailed(Refusal refusal, GenerationSummary summary) {}
  }
}
