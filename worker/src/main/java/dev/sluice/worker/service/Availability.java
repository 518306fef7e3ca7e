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
  private volatile boolean away;

  /** As routers are told; an engine that is away makes the worker one that is not there yet. */
  WorkerState state() {
    WorkerState now = state;
    return now == WorkerState.WORKER_STATE_READY && away ? WorkerState.WORKER_STATE_STARTING : now;
  }

  /** Whether there is an engine to ask. */
  boolean isLoaded() {
    return state != WorkerState.WORKER_STATE_STARTING;
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

  /** The engine's own server cannot be used, or can again. */
  void away(boolean nowAway) {
    away = nowAway;
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
