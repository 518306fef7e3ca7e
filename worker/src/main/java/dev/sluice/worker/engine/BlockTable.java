package dev.sluice.worker.engine;

import java.util.Arrays;

/**
 * The blocks of one sequence: token i lies in {@code blocks()[i / blockSize]}. The first {@link
 * #entered} blocks are in the {@link PrefixCache}, each one the parent of the next; what follows is
 * the sequence's own, or shared with its forks. Only {@link BlockPool} changes it.
 *
 * <p>Threading: engine thread.
 */
final class BlockTable {
  private int[] blocks = new int[8];
  private int size;
  private int entered;

  /** The first {@link #size} entries count. Not to be changed. */
  int[] blocks() {
    return blocks;
  }

  int size() {
    return size;
  }

  /** Leading blocks that are in the prefix cache. */
  int entered() {
    return entered;
  }

  /** The last of these, {@link PrefixCache#NONE} if there is none. */
  int lastEntered() {
    return entered == 0 ? PrefixCache.NONE : blocks[entered - 1];
  }

  /** The block behind the entered ones is now one of them. */
  void enter() {
    entered++;
  }

  void push(int block) {
    if (size == blocks.length) {
      blocks = Arrays.copyOf(blocks, 2 * size);
    }
    blocks[size++] = block;
  }

  /** Replaces a block by one with the same content. */
  void set(int index, int block) {
    blocks[index] = block;
  }

  int pop() {
    size--;
    entered = Math.min(entered, size);
    return blocks[size];
  }

  /** Becomes a copy of the first {@code count} blocks of another one; is empty before. */
  void copy(BlockTable other, int count) {
    for (int i = 0; i < count; i++) {
      push(other.blocks[i]);
    }
    entered = Math.min(other.entered, count);
  }
}
