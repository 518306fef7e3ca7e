package dev.sluice.worker.engine;

/**
 * Blocks to be copied before a step writes anything, in this order: content that forks shared until
 * one of them was about to write.
 *
 * <p>Threading: engine thread. Allocates nothing after construction.
 */
final class BlockCopies {
  private final int[] from; // [most]
  private final int[] to; // [most]
  private int size;

  BlockCopies(int most) {
    from = new int[most];
    to = new int[most];
  }

  void clear() {
    size = 0;
  }

  void add(int fromBlock, int toBlock) {
    from[size] = fromBlock;
    to[size] = toBlock;
    size++;
  }

  int size() {
    return size;
  }

  int from(int index) {
    return from[index];
  }

  int to(int index) {
    return to[index];
  }
}
