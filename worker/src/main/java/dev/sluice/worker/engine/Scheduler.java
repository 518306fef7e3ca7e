package dev.sluice.worker.engine;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Decides what each step computes, first come first served.
 *
 * <p>Requests run (hold blocks, and a row for each choice) or wait. Whoever runs arrived before
 * whoever waits: the first to wait is the next to run, and the last to arrive is the first to lose
 * its blocks, whereby it becomes the first to wait. So the oldest request always advances, and
 * since none is let in whose worst case exceeds the pool, everybody gets there.
 *
 * <p>Threading: engine thread. A pass takes time in proportion to the sequences that run, however
 * many wait, and allocates nothing.
 */
final class Scheduler {
  private final BlockPool pool;
  private final int maxBatchedTokens;
  private final int maxSequences;
  private final int prefillChunk;
  private final RequestQueue running = new RequestQueue();
  private final RequestQueue waiting = new RequestQueue();
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

  /** One of the requests, if there is one. */
  @Nullable Request any() {
    return running.isEmpty() ? waiting.first() : running.first();
  }

  /** Times that a request lost its blocks. */
  long preemptions() {
    return preemptions;
  }

  /** Tokens of all requests to be computed before their next output tokens. */
  long pendingPrefillTokens() {
    long tokens = waitingTokens;
    for (Request r = running.first(); r != null; r = r.next) {
      tokens += r.pendingPrefillTokens();
    }
    return tokens;
  }

  /** Takes a new request. */
  void add(Request request) {
    waiting.addLast(request);
    waitingTokens += request.length();
  }

  /** Forgets a request and frees its blocks. */
  void remove(Request request) {
    if (request.queue == running) {
      running.remove(request);
      free(request);
    } else {
      removeWaiting(request);
    }
  }

  /**
   * Ends one choice of a request and frees its blocks.
   *
   * @param keptTokens output tokens of it that count
   */
  void end(Sequence sequence, int keptTokens) {
    Request request = sequence.request();
    boolean waits = request.queue == waiting;
    waitingTokens -= waits ? request.length() : 0;
    request.end(sequence, keptTokens);
    waitingTokens += waits ? request.length() : 0;
    pool.free(sequence.table);
  }

  /** The next step. It is valid until the next call; empty only if there are no requests. */
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
    for (Request r = running.first(); r != null && budget() > 0; r = r.next) {
      Sequence s = r.sequence(0);
      if (!s.isDecoding()) {
        continue;
      }
      while (!pool.canAppend(s.table, s.length())) {
        Request victim = running.last();
        if (victim == r || victim == null) {
          preempt(r);
          return;
        }
        preempt(victim); // arrived after r, so it is not in the plan yet
      }
      pool.append(s.table, s.length());
      plan.addDecode(s);
    }
  }

  private void planRunningPrefills() {
    for (Request r = running.first(); r != null && budget() > 0; r = r.next) {
      Sequence s = r.sequence(0);
      if (!s.isDecoding()) {
        planPrefill(s);
      }
    }
  }

  private void planWaiting() {
    while (budget() > 0 && running.size() < maxSequences) {
      Request r = waiting.first();
      // A newcomer gets blocks for all its tokens at once, and leaves one for each that runs, so
      // that it is not preempted again before its prefill has been of use.
      if (r == null || !pool.canAllocate(r.length(), running.size())) {
        return;
      }
      Sequence s = r.sequence(0);
      pool.allocate(s.table, s.length());
      removeWaiting(r);
      running.addLast(r);
      planPrefill(s);
    }
  }

  private void planPrefill(Sequence sequence) {
    plan.addPrefill(sequence, Math.min(sequence.remaining(), Math.min(prefillChunk, budget())));
  }

  private int budget() {
    return maxBatchedTokens - plan.tokens();
  }

  private void preempt(Request victim) {
    running.remove(victim);
    free(victim);
    victim.preempted();
    waiting.addFirst(victim);
    waitingTokens += victim.length();
    preemptions++;
  }

  private void free(Request request) {
    for (int choice = 0; choice < request.choices(); choice++) {
      pool.free(request.sequence(choice).table);
    }
  }

  private void removeWaiting(Request request) {
    waiting.remove(request);
    waitingTokens -= request.length();
  }

  /** Audits the pool against the requests that run. */
  void checkIntegrity() {
    List<BlockTable> tables = new ArrayList<>();
    for (Request r = running.first(); r != null; r = r.next) {
      for (int choice = 0; choice < r.choices(); choice++) {
        Sequence s = r.sequence(choice);
        if (s.table.size() < pool.blocksFor(s.computed())) {
          throw new IllegalStateException(
              r.requestId()
                  + " has "
                  + s.table.size()
                  + " blocks (expected: blocks for "
                  + s.computed()
                  + " tokens)");
        }
        tables.add(s.table);
      }
    }
    pool.checkIntegrity(tables);
    long tokens = 0;
    for (Request r = waiting.first(); r != null; r = r.next) {
      for (int choice = 0; choice < r.choices(); choice++) {
        int blocks = r.sequence(choice).table.size();
        if (blocks != 0) {
          throw new IllegalStateException(
              r.requestId() + " waits with " + blocks + " blocks (expected: none)");
        }
      }
      tokens += r.length();
    }
    if (tokens != waitingTokens) {
      throw new IllegalStateException(
          "waitingTokens: " + waitingTokens + " (expected: " + tokens + ")");
    }
  }
}
