package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.KernelContext.Parallel;
import dev.sluice.worker.ort.KernelContext.ParallelBody;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Attention over a paged KV cache: stores the step's keys and values in their blocks, then lets
 * every token attend to its sequence up to itself, reading all keys and values through the cache.
 *
 * <p>The work is cut into units, which threads take one by one; see {@link AttentionPlan}. Which
 * thread computes a unit, and with what else, changes no bit of it.
 *
 * <p>Threading: one run at a time; its parts run on the threads of {@link Parallel}. Allocates
 * nothing after a step of the largest size.
 */
final class PagedAttention {
  /** Below this much work a second thread costs more than it brings. */
  private static final int TOKENS_PER_WRITER = 8;

  private final AttentionTile[] tiles; // of each thread
  private final AttentionPlan plan;
  private final AtomicInteger next = new AtomicInteger();
  private final ParallelBody storeBody = this::store;
  private final ParallelBody computeBody = this::compute;
  private final ParallelBody mergeBody = this::merge;
  private final AttentionCall call = new AttentionCall();
  private float[] parts = {};
  private int writers;

  /**
   * @param threads most tasks that run at once
   */
  PagedAttention(AttentionShape shape, KvType kvType, int threads) {
    this.plan = new AttentionPlan(shape, threads);
    this.tiles = new AttentionTile[threads];
    for (int i = 0; i < threads; i++) {
      tiles[i] = new AttentionTile(shape, kvType);
    }
  }

  /** The operands of the next run. */
  AttentionCall call() {
    return call;
  }

  void run(Parallel parallel) {
    if (call.tokens == 0) {
      return;
    }
    plan.make(call);
    if (parts.length < plan.partFloats()) {
      parts = new float[plan.partFloats()];
    }
    if (!plan.unitsStore()) {
      writers = Math.clamp(call.tokens / TOKENS_PER_WRITER, 1, tiles.length);
      parallel.run(writers, storeBody);
    }
    next.set(0);
    parallel.run(Math.min(plan.usefulThreads(), plan.units()), computeBody);
    if (plan.splits() > 0) {
      next.set(0);
      parallel.run(Math.min(tiles.length, plan.splits()), mergeBody);
    }
  }

  private void store(int task) {
    int from = (int) ((long) call.tokens * task / writers);
    int to = (int) ((long) call.tokens * (task + 1) / writers);
    tiles[task].store(call, from, to);
  }

  private void compute(int task) {
    for (int i = next.getAndIncrement(); i < plan.units(); i = next.getAndIncrement()) {
      tiles[task].compute(call, plan.unit(i), parts);
    }
  }

  private void merge(int task) {
    for (int i = next.getAndIncrement(); i < plan.splits(); i = next.getAndIncrement()) {
      tiles[task].merge(call, plan.split(i), parts);
    }
  }
}
