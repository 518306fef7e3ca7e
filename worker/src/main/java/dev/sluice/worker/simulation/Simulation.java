package dev.sluice.worker.simulation;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.engine.EngineObserver;
import dev.sluice.worker.engine.FinishCause;
import dev.sluice.worker.engine.GenerationListener;
import dev.sluice.worker.engine.GenerationSummary;
import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.engine.ModelRunner;
import dev.sluice.worker.engine.PrefillSummary;
import dev.sluice.worker.engine.RequestTimings;
import java.util.Iterator;
import java.util.function.Function;

/**
 * Runs requests through the real engine on a virtual clock: the same scheduler, block pool and
 * queue as a worker's, so that hours pass in seconds, and the same each time.
 *
 * <p>Threading: confined to its owner.
 */
public final class Simulation {
  /** Prompt tokens are below it. */
  public static final int VOCABULARY = 4096;

  private static final long PROGRESS_STEPS = 4096;

  private final VirtualClock clock;
  private final Engine engine;
  private final SimulationResult total = new SimulationResult();
  private final Function<Arrival, SimulationResult> groups;
  private final long concurrency;
  private long inFlight;

  /**
   * @param runner moves the clock
   * @param concurrency most requests at once; further ones come when another has ended
   * @param groups results that a request counts in beside the total, such as its tenant's
   */
  public Simulation(
      ModelRunner runner,
      VirtualClock clock,
      EngineConfig config,
      long concurrency,
      Function<Arrival, SimulationResult> groups) {
    this.clock = clock;
    this.groups = groups;
    this.concurrency = concurrency;
    this.engine =
        new Engine(runner, config.withTokens(1).withDraftTokens(0), clock, new Observer());
  }

  /** What was measured so far, of all requests. */
  public SimulationResult result() {
    return total;
  }

  /**
   * Runs until all requests have ended.
   *
   * @param arrivals in order of time
   * @param progress is called now and then
   */
  public SimulationResult run(Iterator<Arrival> arrivals, Runnable progress) {
    Arrival next = arrivals.hasNext() ? arrivals.next() : null;
    for (long turn = 1; true; turn++) {
      while (next != null && inFlight < concurrency && next.nanos() <= clock.nanos()) {
        submit(next);
        next = arrivals.hasNext() ? arrivals.next() : null;
      }
      if (!engine.step()) {
        if (next == null) {
          break;
        }
        clock.set(Math.max(clock.nanos(), next.nanos()));
      }
      if (turn % PROGRESS_STEPS == 0) {
        progress.run();
      }
    }
    total.endNanos = clock.nanos();
    return total;
  }

  private void submit(Arrival arrival) {
    long now = clock.nanos();
    // With a bound it came when a place was free; else while a step ran.
    long due = concurrency == Long.MAX_VALUE ? arrival.nanos() : now;
    GenerationTask.Builder task =
        GenerationTask.builder("r" + total.arrived, arrival.prompt())
            .maxTokens(arrival.outputTokens())
            .tenant(arrival.tenant())
            .priority(arrival.priority());
    if (arrival.ttftTargetNanos().isPresent()) {
      long left = arrival.ttftTargetNanos().getAsLong() - (now - due);
      task.ttftTargetNanos(Math.max(1, left));
    }
    arrival.timeoutNanos().ifPresent(timeout -> task.deadlineNanos(due + timeout));
    Listener listener = new Listener(arrival, due, groups.apply(arrival));
    listener.arrived();
    inFlight++;
    try {
      engine.submit(task.build(), listener);
    } catch (RefusalException e) {
      listener.refused(e.refusal());
    }
    total.mostWaiting = Math.max(total.mostWaiting, engine.snapshot().waitingRequests());
  }

  /** Measures one request, in the total and in its group. */
  private final class Listener implements GenerationListener {
    private final Arrival arrival;
    private final long due;
    private final SimulationResult group;
    private long lastNanos;
    private int tokens;

    Listener(Arrival arrival, long due, SimulationResult group) {
      this.arrival = arrival;
      this.due = due;
      this.group = group;
    }

    void arrived() {
      total.arrived++;
      if (group != total) {
        group.arrived++;
      }
    }

    void refused(Refusal refusal) {
      inFlight--;
      total.fail(refusal);
      if (group != total) {
        group.fail(refusal);
      }
    }

    @Override
    public void onPrefilled(PrefillSummary prefill) {}

    @Override
    public void onToken(int choice, int tokenId, boolean ending, long nanos) {
      if (tokens++ > 0) {
        total.itl().add(nanos - lastNanos);
        if (group != total) {
          group.itl().add(nanos - lastNanos);
        }
      }
      lastNanos = nanos;
    }

    @Override
    public void onChoiceFinished(int choice, FinishCause cause) {}

    @Override
    public void onComplete(GenerationSummary summary) {
      inFlight--;
      complete(total, summary);
      if (group != total) {
        complete(group, summary);
      }
    }

    private void complete(SimulationResult result, GenerationSummary summary) {
      RequestTimings t = summary.timings();
      long late = t.arrivalNanos() - due; // it arrived while a step ran
      long ttft = t.ttftNanos() + late;
      long e2e = t.e2eNanos() + late;
      result.completed++;
      result.promptTokens += summary.promptTokens();
      result.cachedTokens += summary.cachedPromptTokens();
      result.outputTokens += summary.outputTokens();
      result.preemptions += summary.preemptions();
      result.ttft().add(ttft);
      result.queue().add(t.queueNanos() + late);
      result.e2e().add(e2e);
      if (t.gaps() > 0) {
        result.tpot().add(t.tpotNanos());
      }
      if (ttft <= arrival.ttftTargetNanos().orElse(Long.MAX_VALUE)
          && e2e <= arrival.timeoutNanos().orElse(Long.MAX_VALUE)) {
        result.good++;
        result.goodOutputTokens += summary.outputTokens();
      }
    }

    @Override
    public void onFailed(Refusal refusal, GenerationSummary summary) {
      refused(refusal);
    }
  }

  /** Measures steps. */
  private final class Observer implements EngineObserver {
    @Override
    public void onStep(long nanos, int sequences, int prefillTokens, int decodeTokens) {
      total.step().add(nanos);
      total.steps++;
      total.computedPromptTokens += prefillTokens;
      total.endNanos = clock.nanos();
    }
  }
}
