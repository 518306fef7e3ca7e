package dev.sluice.worker.engine;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Decides what each step computes, first come first served.
 *
 * <p>Sequences run (hold blocks and a row) or wait. Whoever runs arrived before whoever waits: the
 * first to wait is the next to run, and the last to arrive is the first to lose its blocks, whereby
 * it becomes the first to wait. So the oldest sequence always advances, and since none is let in
 * whose worst case exceeds the pool, everybody gets there.
 *
 * <p>Threading: engine thread. A pass takes time in proportion to the sequences that run, however
 * many wait, and allocates nothing.
 */
final class Scheduler {
  private final BlockPool pool;
  private final int maxBatchedTokens;
  private final int maxSequences;
  private final int prefillChunk;
  private final SequenceQueue running = new SequenceQueue();
  private final SequenceQueue waiting = new SequenceQueue();
  private final StepPlan plan;
  private long waitingTokens;
  private long preemptions;

  Scheduler(ModelRunner.Geometry geometry, int prefillChunk) {
    this.pool = new BlockPool(geometry.blocks(), geometry.blockSize());
    this.maxBatchedTokens = geometry.maxBatchedTokens();
    this.maxSequences = geometry.maxSequences();
    this.prefillChunk = prefillChunk;
    this.plan = new StepPlan(maxSequences);
  }

  BlockPool pool() {
    return pool;
  }

  int runningCount() {
    return running.size();
  }

  int waitingCount() {
    return waiting.size();
  }

  boolean isEmpty() {
    return running.isEmpty() && waiting.isEmpty();
  }

  /** One of the sequences, if there is one. */
  @Nullable Sequence any() {
    return running.isEmpty() ? waiting.first() : running.first();
  }

  /** Times that a sequence lost its blocks. */
  long preemptions() {
    return preemptions;
  }

  /** Tokens of all sequences to be computed before their next output token. */
  long pendingPrefillTokens() {
    long tokens = waitingTokens;
    for (Sequence s = running.first(); s != null; s = s.next) {
      tokens += s.isDecoding() ? 0 : s.remaining();
    }
    return tokens;
  }

  /** Takes a new sequence. */
  void add(Sequence sequence) {
    waiting.addLast(sequence);
    waitingTokens += sequence.length();
  }

  /** Forgets a sequence and frees its blocks. */
  void remove(Sequence sequence) {
    if (sequence.queue == running) {
      running.remove(sequence);
      pool.free(sequence.table);
    } else {
      removeWaiting(sequence);
    }
  }

  /** The next step. It is valid until the next call; empty only if there are no sequences. */
  StepPlan plan() {
    plan.clear();
    long preemptionsBefore = preemptions;
    planDecodes();
    planRunningPrefills();
    if (preemptions == preemptionsBefore) { // else the victim would get its blocks back at once
      planWaiting();
    }
    return plan;
  }

  private void planDecodes() {
    for (Sequence s = running.first(); s != null && budget() > 0; s = s.next) {
      if (!s.isDecoding()) {
        continue;
      }
      while (!pool.canAppend(s.table, s.length())) {
        Sequence victim = running.last();
        if (victim == s || victim == null) {
          preempt(s);
          return;
        }
        preempt(victim); // arrived after s, so it is not in the plan yet
      }
      pool.append(s.table, s.length());
      plan.addDecode(s);
    }
  }

  private void planRunningPrefills() {
    for (Sequence s = running.first(); s != null && budget() > 0; s = s.next) {
      if (!s.isDecoding()) {
        planPrefill(s);
      }
    }
  }

  private void planWaiting() {
    while (budget() > 0 && running.size() < maxSequences) {
      Sequence s = waiting.first();
      // A newcomer gets blocks for all its tokens at once, and leaves one for each that runs, so
      // that it is not preempted again before its prefill has been of use.
      if (s == null || !pool.canAllocate(s.length(), running.size())) {
        return;
      }
      pool.allocate(s.table, s.length());
      removeWaiting(s);
      running.addLast(s);
      planPrefill(s);
    }
  }

  private void planPrefill(Sequence sequence) {
    plan.addPrefill(sequence, Math.min(sequence.remaining(), Math.min(prefillChunk, budget())));
  }

  private int budget() {
    return maxBatchedTokens - plan.tokens();
  }

  private void preempt(Sequence victim) {
    running.remove(victim);
    pool.free(victim.table);
    victim.preempted();
    waiting.addFirst(victim);
    waitingTokens += victim.length();
    preemptions++;
  }

  private void removeWaiting(Sequence sequence) {
    waiting.remove(sequence);
    waitingTokens -= sequence.length();
  }

  /** Audits the pool against the sequences that run. */
  void checkIntegrity() {
    List<BlockTable> tables = new ArrayList<>();
    for (Sequence s = running.first(); s != null; s = s.next) {
      if (s.table.size() < pool.blocksFor(s.computed())) {
        throw new IllegalStateException(
            s.requestId()
                + " has "
                + s.table.size()
                + " blocks (expected: blocks for "
                + s.computed()
                + " tokens)");
      }
      tables.add(s.table);
    }
    pool.checkIntegrity(tables);
    long tokens = 0;
    for (Sequence s = waiting.first(); s != null; s = s.next) {
      if (s.table.size() != 0) {
        throw new IllegalStateException(
            s.requestId() + " waits with " + s.table.size() + " blocks (expected: none)");
      }
      tokens += s.length();
    }
    if (tokens != waitingTokens) {
      throw new IllegalStateException(
          "waitingTokens: " + waitingTokens + " (expected: " + tokens + ")");
    }
  }
}
