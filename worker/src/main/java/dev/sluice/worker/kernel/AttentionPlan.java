package dev.sluice.worker.kernel;

import java.util.Arrays;

/**
 * How the attention of a step is cut into units. Which units there are depends on the step and on
 * the number of threads; the bits of the results do not.
 *
 * <p>Threading: made by the thread that runs the step, only read while it runs. Allocates nothing
 * after a step of the largest size.
 */
final class AttentionPlan {
  private static final int RANGE = AttentionRange.SIZE;
  private static final int BLOCK = AttentionShape.BLOCK_SIZE;

  /** So many units of equal cost for each thread, so that none waits long for the last. */
  private static final int UNITS_PER_THREAD = 6;

  /** A unit that costs less is not cut. Costs are rows times ranges times dimensions. */
  private static final long LEAST_UNIT_COST = 16 * 64;

  /** Below this cost a second thread takes more than it brings. */
  private static final long LEAST_PARALLEL_COST = 32 * 64;

  /** Units that are used again in the next step. */
  private static final class Units {
    private AttentionUnit[] units = {};
    private int count;

    AttentionUnit add() {
      if (count == units.length) {
        units = Arrays.copyOf(units, Math.max(64, 2 * count));
        Arrays.setAll(units, i -> i < count ? units[i] : new AttentionUnit());
      }
      return units[count++];
    }
  }

  private final AttentionShape shape;
  private final int threads;
  private final Units units = new Units();
  private final Units splits = new Units();
  private boolean unitsStore;
  private long totalCost;
  private long unitCost; // units are cut to cost no more
  private int partFloats;

  AttentionPlan(AttentionShape shape, int threads) {
    this.shape = shape;
    this.threads = threads;
  }

  int units() {
    return units.count;
  }

  AttentionUnit unit(int index) {
    return units.units[index];
  }

  /** Tiles whose ranges were given to several units and remain to be merged. */
  int splits() {
    return splits.count;
  }

  /** A unit that stands for all ranges of such a tile. */
  AttentionUnit split(int index) {
    return splits.units[index];
  }

  /** Floats that the parts of all ranges of all splits take. */
  int partFloats() {
    return partFloats;
  }

  /** Whether units store keys and values themselves, since none reads what another stores. */
  boolean unitsStore() {
    return unitsStore;
  }

  /** Threads that are worth their while. */
  int usefulThreads() {
    return totalCost < LEAST_PARALLEL_COST ? 1 : threads;
  }

  /** Plans the step that the call describes. */
  void make(AttentionCall call) {
    units.count = 0;
    splits.count = 0;
    partFloats = 0;
    weigh(call);
    for (int sequence = 0; sequence < call.sequences; sequence++) {
      int past = call.pastLength(sequence);
      // The last tiles first: they cost most.
      for (int end = call.length(sequence); end > past; end = tileStart(past, end)) {
        int start = tileStart(past, end);
        addTile(sequence, start, end - start);
      }
    }
  }

  /** Sums up what the step costs, and sees whether units may store. */
  private void weigh(AttentionCall call) {
    totalCost = 0;
    unitsStore = true;
    for (int sequence = 0; sequence < call.sequences; sequence++) {
      int past = call.pastLength(sequence);
      for (int end = call.length(sequence); end > past; end = tileStart(past, end)) {
        int start = tileStart(past, end);
        unitsStore &= start == past;
        totalCost += cost(end - start, shape.kvHeads(), endRange(end) - firstRange(start));
      }
    }
    unitCost =
        usefulThreads() == 1
            ? Long.MAX_VALUE
            : Math.max(LEAST_UNIT_COST, totalCost / threads / UNITS_PER_THREAD);
  }

  private static int tileStart(int past, int end) {
    return Math.max(past, (end - 1) / BLOCK * BLOCK);
  }

  private int firstRange(int start) {
    return shape.firstVisible(start) / RANGE;
  }

  private static int endRange(int end) {
    return (end + RANGE - 1) / RANGE;
  }

  private long cost(int tokens, int heads, int ranges) {
    return (long) tokens * shape.group() * heads * ranges * shape.headSize();
  }

  private void addTile(int sequence, int start, int tokens) {
    int rows = tokens * shape.group();
    int heads = AttentionUnit.heads(rows, shape);
    int firstRange = firstRange(start);
    int endRange = endRange(start + tokens);
    int ranges = endRange - firstRange;
    int pieces = Math.clamp(Math.ceilDiv(cost(tokens, heads, ranges), unitCost), 1, ranges);
    int floats = AttentionUnit.partFloats(heads * AttentionUnit.wholeGroups(rows), shape);
    for (int head = 0; head < shape.kvHeads(); head += heads) {
      if (pieces == 1) {
        units
            .add()
            .set(
                sequence,
                start,
                tokens,
                head,
                heads,
                firstRange,
                endRange,
                AttentionUnit.WHOLE,
                unitsStore);
        continue;
      }
      splits
          .add()
          .set(sequence, start, tokens, head, heads, firstRange, endRange, partFloats, false);
      for (int piece = 0; piece < pieces; piece++) {
        int from = ranges * piece / pieces;
        int to = ranges * (piece + 1) / pieces;
        boolean stores = unitsStore && piece == pieces - 1; // the new tokens are in the last range
        units
            .add()
            .set(
                sequence,
                start,
                tokens,
                head,
                heads,
                firstRange + from,
                firstRange + to,
                partFloats + from * floats,
                stores);
      }
      partFloats += ranges * floats;
    }
  }
}
