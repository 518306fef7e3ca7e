package dev.sluice.worker.engine;

import java.util.Arrays;

/**
 * The blocks of one sequence: token i lies in {@code blocks()[i / blockSize]}. Only {@link
 * BlockPool} changes it.
 *
 * <p>Threading: engine thread.
 */
final class BlockTable {
  private int[] blocks = new int[8];
  private int size;

  /** The first {@link #size} entries count. Not to be changed. */
  int[] blocks() {
    return blocks;
  }

  int size() {
    return size;
  }

  void push(int block) {
    if (size == blocks.length) {
      blocks = Arrays.copyOf(blocks, 2 * size);
    }
    blocks[size++] = block;
  }

  int pop() {
    return blocks[--size];
  }
}
