package dev.sluice.router.index;

import java.lang.ref.WeakReference;
import java.util.WeakHashMap;

/**
 * Makes one object of equal sets, as long as it is in use. Blocks come and go in runs that change
 * alike, so the latest change is remembered.
 *
 * <p>Threading: the writer of the index.
 */
final class WorkerSets {
  private final WeakHashMap<WorkerSet, WeakReference<WorkerSet>> known = new WeakHashMap<>();
  private Change added = new Change(WorkerSet.NONE, -1, WorkerSet.NONE);
  private Change removed = added;

  private record Change(WorkerSet from, int slot, WorkerSet to) {}

  WorkerSet with(WorkerSet from, int slot) {
    if (!added.from.equals(from) || added.slot != slot) {
      added = new Change(from, slot, intern(from.contains(slot) ? from : from.with(slot)));
    }
    return added.to;
  }

  WorkerSet without(WorkerSet from, int slot) {
    if (!removed.from.equals(from) || removed.slot != slot) {
      removed = new Change(from, slot, intern(from.without(slot)));
    }
    return removed.to;
  }

  private WorkerSet intern(WorkerSet set) {
    if (set.isEmpty()) {
      return WorkerSet.NONE;
    }
    WeakReference<WorkerSet> reference = known.get(set);
    WorkerSet same = reference == null ? null : reference.get();
    if (same != null) {
      return same;
    }
    known.put(set, new WeakReference<>(set));
    return set;
  }
}
