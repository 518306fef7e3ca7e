package dev.sluice.worker.service;

import dev.sluice.v1.WorkerState;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Whether the worker takes requests, and who wants to know when that changes.
 *
 * <p>Threading: any thread changes it; listeners run on that thread and must not block.
 */
final class Availability {
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private volatile WorkerState state = WorkerState.WORKER_STATE_STARTING;
  private volatile boolean stuck;

  WorkerState state() {
    return state;
  }

  void ready() {
    become(WorkerState.WORKER_STATE_READY);
  }

  void draining() {
    become(WorkerState.WORKER_STATE_DRAINING);
  }

  /** Whether the engine makes no progress. */
  boolean isStuck() {
    return stuck;
  }

  void stuck(boolean nowStuck) {
    stuck = nowStuck;
    listeners.forEach(Runnable::run);
  }

  void onChange(Runnable listener) {
    listeners.add(listener);
  }

  private void become(WorkerState next) {
    state = next;
    listeners.forEach(Runnable::run);
  }
}
