package dev.sluice.worker.triton;

import static java.util.Objects.requireNonNull;

import dev.sluice.common.fair.Backlog;
import dev.sluice.common.fair.FairQueue;
import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.engine.SchedulingConfig;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The requests that wait, in the order in which they are sent, and those that Triton has.
 *
 * <p>Threading: guarded by its {@link TritonEngine}.
 */
final class TritonQueue {
  private final int places;
  private final SchedulingConfig scheduling;
  private final FairQueue<TritonRequest> order;
  private final Set<TritonRequest> waiting = new LinkedHashSet<>();
  private final Set<TritonRequest> running = new LinkedHashSet<>();
  private long serials;
  private long waitingTokens;
  private long unansweredTokens; // of prompts that are at Triton, without output yet

  TritonQueue(TritonLimits limits) {
    places = limits.maxRunning();
    scheduling = limits.scheduling();
    order = scheduling.newQueue();
  }

  /** What is sent before a newcomer. */
  Backlog ahead(GenerationTask task, int promptTokens) {
    return order.ahead(
        scheduling.tenant(task), scheduling.priority(task), scheduling.weight(task), promptTokens);
  }

  /** Takes a new request; it waits. */
  void add(TritonRequest request, long now) {
    GenerationTask task = request.task();
    request.place =
        order.open(
            request,
            scheduling.tenant(task),
            scheduling.priority(task),
            scheduling.weight(task),
            serials++);
    order.add(request.place(), request.promptTokens, now);
    waiting.add(request);
    waitingTokens += request.promptTokens;
  }

  /** Whether there is a place for one that waits, or comes. */
  boolean hasPlace() {
    return running.size() < places;
  }

  /** Gives the one that is next a place; one must wait. */
  TritonRequest next(long now) {
    TritonRequest next = requireNonNull(order.first(now)).item();
    order.take(next.place(), now);
    waiting.remove(next);
    waitingTokens -= next.promptTokens;
    running.add(next);
    unansweredTokens += next.promptTokens;
    order.charge(next.place(), next.promptTokens);
    return next;
  }

  /** The first output of a request is there. */
  void answered(TritonRequest request) {
    unansweredTokens -= request.promptTokens;
  }

  /** A request has got so many output tokens. */
  void charge(TritonRequest request, int tokens) {
    order.charge(request.place(), tokens);
  }

  /** Forgets a request, wherever it is. */
  void remove(TritonRequest request) {
    order.close(request.place());
    if (running.remove(request)) {
      unansweredTokens -= request.hasOutput() ? 0 : request.promptTokens;
    } else if (waiting.remove(request)) {
      waitingTokens -= request.promptTokens;
    }
  }

  /** Those that wait; a copy. */
  List<TritonRequest> waiting() {
    return List.copyOf(waiting);
  }

  /** All: those that wait first; a copy. */
  List<TritonRequest> all() {
    Set<TritonRequest> all = new LinkedHashSet<>(waiting);
    all.addAll(running);
    return List.copyOf(all);
  }

  int waitingCount() {
    return waiting.size();
  }

  /** Prompt tokens of those that wait. */
  long waitingTokens() {
    return waitingTokens;
  }

  int runningCount() {
    return running.size();
  }

  /** Prompt tokens of all that have no output yet. */
  long pendingTokens() {
    return waitingTokens + unansweredTokens;
  }

  boolean isEmpty() {
    return running.isEmpty() && waiting.isEmpty();
  }
}
