package dev.sluice.common.fair;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One priority class: its tenants, and of these the backlogged ones in a heap by the virtual time
 * at which their first entry finishes.
 *
 * <p>Threading: the queue's. Allocates only for a new tenant.
 */
final class Level<T> {
  final int priority;
  private final Map<String, Flow<T>> flows = new HashMap<>();
  private final List<Flow<T>> heap = new ArrayList<>(); // children of i: 2 i + 1, 2 i + 2
  private double floor; // the least virtual time of a flow that comes from idle; never falls
  private @Nullable Flow<T> lastBacklogged;
  private long tokens;
  private int entries;

  Level(int priority) {
    this.priority = priority;
  }

  Flow<T> flow(String tenant) {
    Flow<T> known = flows.get(tenant);
    if (known != null) {
      return known;
    }
    Flow<T> flow = new Flow<>(tenant, this);
    flows.put(tenant, flow);
    return flow;
  }

  @Nullable Flow<T> known(String tenant) {
    return flows.get(tenant);
  }

  void forget(Flow<T> flow) {
    if (lastBacklogged == flow) {
      floor = Math.max(floor, flow.virtualTime);
      lastBacklogged = null;
    }
    flows.remove(flow.tenant);
  }

  boolean isEmpty() {
    return heap.isEmpty();
  }

  /** Its backlogged flow to serve next. */
  Flow<T> first() {
    return heap.getFirst();
  }

  List<Flow<T>> backlogged() {
    return heap;
  }

  /** Tokens queued. */
  long tokens() {
    return tokens;
  }

  /** Entries queued. */
  int entries() {
    return entries;
  }

  int flowCount() {
    return flows.size();
  }

  /**
   * The virtual time at which a flow starts that comes from idle: that of the flow that is next; if
   * there is none, that of the last one there was, however far it has got since.
   */
  double virtualTime() {
    if (!heap.isEmpty()) {
      floor = Math.max(floor, first().virtualTime);
    } else if (lastBacklogged != null) {
      floor = Math.max(floor, lastBacklogged.virtualTime);
    }
    return floor;
  }

  void insert(FairEntry<T> entry) {
    Flow<T> flow = entry.flow;
    boolean first = flow.queued.size() == 0;
    flow.queued.insert(entry);
    tokens += entry.tokens;
    entries++;
    if (first) {
      flow.refresh();
      flow.heapIndex = heap.size();
      heap.add(flow);
      up(flow);
    } else if (flow.queued.first() == entry) {
      reorder(flow);
    }
  }

  void remove(FairEntry<T> entry) {
    Flow<T> flow = entry.flow;
    virtualTime(); // for the floor, before it goes
    flow.queued.remove(entry);
    tokens -= entry.tokens;
    entries--;
    if (flow.queued.size() > 0) {
      reorder(flow);
    } else {
      Flow<T> moved = heap.removeLast();
      if (moved != flow) {
        place(moved, flow.heapIndex);
        reorder(moved);
      }
      lastBacklogged = flow;
    }
  }

  /** A backlogged flow's key has changed. */
  void reorder(Flow<T> flow) {
    flow.refresh();
    up(flow);
    down(flow);
  }

  private void up(Flow<T> flow) {
    int index = flow.heapIndex;
    while (index > 0) {
      Flow<T> parent = heap.get((index - 1) / 2);
      if (!flow.precedes(parent)) {
        break;
      }
      place(parent, index);
      index = (index - 1) / 2;
    }
    place(flow, index);
  }

  private void down(Flow<T> flow) {
    int index = flow.heapIndex;
    for (int child = 2 * index + 1; child < heap.size(); child = 2 * index + 1) {
      if (child + 1 < heap.size() && heap.get(child + 1).precedes(heap.get(child))) {
        child++;
      }
      if (!heap.get(child).precedes(flow)) {
        break;
      }
      place(heap.get(child), index);
      index = child;
    }
    place(flow, index);
  }

  private void place(Flow<T> flow, int index) {
    heap.set(index, flow);
    flow.heapIndex = index;
  }
}
