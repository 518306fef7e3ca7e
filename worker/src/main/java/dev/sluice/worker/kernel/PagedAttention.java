package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.KernelContext.Parallel;
import dev.sluice.worker.ort.KernelContext.ParallelBody;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Attention over a paged KV cache: stores the step's keys and values in their blocks, then lets
 * every token attend to its sequence up to itself, reading all keys and values through the cache.
 *
 * <p>The work is cut into tiles of up to 16 tokens by KV head; threads take them one by one, the
 * longest first within a sequence. Which thread computes a tile, and with what else, changes no bit
 * of it.
 *
 * <p>Threading: one run at a time; its parts run on the threads of {@link Parallel}. Allocates
 * nothing after a step of the largest size.
 */
final class PagedAttention {
  /** Below this much work a second thread costs more than it brings. */
  private static final int TOKENS_PER_WRITER = 8;

  private final AttentionShape shape;
  private final AttentionTile[] tiles; // of each thread
  private final CacheWriter[] writers;
  private final AtomicInteger next = new AtomicInteger();
  private final ParallelBody writeBody = this::write;
  private final ParallelBody attendBody = this::attend;
  private final AttentionCall call = new AttentionCall();
  private int[] tileSequences = new int[64];
  private int[] tileStarts = new int[64];
  private int tileCount;
  private int writerCount;

  /**
   * @param threads most tasks that run at once
   */
  PagedAttention(AttentionShape shape, int threads) {
    this.shape = shape;
    this.tiles = new AttentionTile[threads];
    this.writers = new CacheWriter[threads];
    for (int i = 0; i < threads; i++) {
      tiles[i] = new AttentionTile(shape);
      writers[i] = new CacheWriter(shape);
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
    plan();
    writerCount = Math.clamp(call.tokens / TOKENS_PER_WRITER, 1, writers.length);
    parallel.run(writerCount, writeBody);
    next.set(0);
    parallel.run(Math.min(tiles.length, tileCount * shape.kvHeads()), attendBody);
  }

  /** Lists the tiles: each sequence's new tokens, cut where blocks end, last ones first. */
  private void plan() {
    tileCount = 0;
    for (int sequence = 0; sequence < call.sequences; sequence++) {
      int past = call.pastLength(sequence);
      int end = past + call.firstToken(sequence + 1) - call.firstToken(sequence);
      if (end == past) {
        continue;
      }
      int lastBlock = (end - 1) / AttentionShape.BLOCK_SIZE;
      for (int block = lastBlock; block >= past / AttentionShape.BLOCK_SIZE; block--) {
        addTile(sequence, Math.max(past, block * AttentionShape.BLOCK_SIZE));
      }
    }
  }

  private void addTile(int sequence, int start) {
    if (tileCount == tileStarts.length) {
      tileSequences = Arrays.copyOf(tileSequences, 2 * tileCount);
      tileStarts = Arrays.copyOf(tileStarts, 2 * tileCount);
    }
    tileSequences[tileCount] = sequence;
    tileStarts[tileCount] = start;
    tileCount++;
  }

  private void write(int task) {
    int from = (int) ((long) call.tokens * task / writerCount);
    int to = (int) ((long) call.tokens * (task + 1) / writerCount);
    writers[task].write(call, from, to);
  }

  private void attend(int task) {
    int units = tileCount * shape.kvHeads();
    for (int unit = next.getAndIncrement(); unit < units; unit = next.getAndIncrement()) {
      int tile = unit / shape.kvHeads();
      int sequence = tileSequences[tile];
      int start = tileStarts[tile];
      int end =
          call.pastLength(sequence) + call.firstToken(sequence + 1) - call.firstToken(sequence);
      int blockEnd = (start / AttentionShape.BLOCK_SIZE + 1) * AttentionShape.BLOCK_SIZE;
      tiles[task].compute(
          call, sequence, start, Math.min(end, blockEnd) - start, unit % shape.kvHeads());
    }
  }
}
