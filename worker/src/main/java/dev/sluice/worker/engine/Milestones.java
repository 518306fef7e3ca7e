package dev.sluice.worker.engine;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The first {@value #MOST} milestones of a request. Nothing is allocated per milestone, but the
 * arrays when there are more than they can take.
 *
 * <p>Threading: engine thread.
 */
final class Milestones {
  /** A request that is preempted again and again shows no more than so many in its trace. */
  static final int MOST = 128;

  private static final int FIRST = 4;

  private Milestone.Kind[] kinds = new Milestone.Kind[FIRST];
  private long[] nanos = new long[FIRST];
  private int[] tokens = new int[FIRST];
  private int count;

  void add(Milestone.Kind kind, long at, int computed) {
    if (count == MOST) {
      return;
    }
    if (count == nanos.length) {
      kinds = Arrays.copyOf(kinds, 2 * count);
      nanos = Arrays.copyOf(nanos, 2 * count);
      tokens = Arrays.copyOf(tokens, 2 * count);
    }
    kinds[count] = kind;
    nanos[count] = at;
    tokens[count++] = computed;
  }

  /** In the order in which they happened. */
  List<Milestone> toList() {
    return IntStream.range(0, count)
        .mapToObj(i -> new Milestone(kinds[i], nanos[i], tokens[i]))
        .toList();
  }
}
