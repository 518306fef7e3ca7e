package dev.sluice.common.fair;

import dev.sluice.common.list.IntrusiveList;
import org.jspecify.annotations.Nullable;

/**
 * Queued entries in order of arrival. An entry that comes back finds its old place; the search
 * begins at both ends, since it is either among the oldest or the latest.
 *
 * <p>Threading: the queue's. Allocates nothing.
 */
final class EntryList<T> {
  private final IntrusiveList<FairEntry<T>> entries = new IntrusiveList<>();
  private long tokens;

  @Nullable FairEntry<T> first() {
    return entries.first();
  }

  int size() {
    return entries.size();
  }

  /** Tokens of all entries. */
  long tokens() {
    return tokens;
  }

  void insert(FairEntry<T> entry) {
    FairEntry<T> after = entries.first(); // the earliest that may follow
    FairEntry<T> before = entries.last(); // the latest that may precede
    while (after != null
        && before != null
        && after.serial < entry.serial
        && before.serial > entry.serial) {
      after = after.next();
      before = before.previous();
    }
    if (after != null && after.serial < entry.serial) {
      after = before == null ? entries.first() : before.next();
    }
    if (after == null) {
      entries.addLast(entry);
    } else {
      entries.addBefore(entry, after);
    }
    tokens += entry.tokens;
  }

  void remove(FairEntry<T> entry) {
    entries.remove(entry);
    tokens -= entry.tokens;
  }
}
