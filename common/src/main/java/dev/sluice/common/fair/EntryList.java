package dev.sluice.common.fair;

import org.jspecify.annotations.Nullable;

/**
 * Queued entries in order of arrival, linked through themselves. An entry that comes back finds its
 * old place; the search begins at both ends, since it is either among the oldest or the latest.
 *
 * <p>Threading: the queue's. Allocates nothing.
 */
final class EntryList<T> {
  private @Nullable FairEntry<T> first;
  private @Nullable FairEntry<T> last;
  private int size;
  private long tokens;

  @Nullable FairEntry<T> first() {
    return first;
  }

  int size() {
    return size;
  }

  /** Tokens of all entries. */
  long tokens() {
    return tokens;
  }

  void insert(FairEntry<T> entry) {
    FairEntry<T> after = first; // the earliest that may follow
    FairEntry<T> before = last; // the latest that may precede
    while (after != null
        && before != null
        && after.serial < entry.serial
        && before.serial > entry.serial) {
      after = after.next;
      before = before.previous;
    }
    if (after == null || after.serial >= entry.serial) {
      before = after == null ? last : after.previous;
    } else {
      after = before == null ? first : before.next;
    }
    entry.previous = before;
    entry.next = after;
    if (before == null) {
      first = entry;
    } else {
      before.next = entry;
    }
    if (after == null) {
      last = entry;
    } else {
      after.previous = entry;
    }
    size++;
    tokens += entry.tokens;
  }

  void remove(FairEntry<T> entry) {
    FairEntry<T> before = entry.previous;
    FairEntry<T> after = entry.next;
    if (before == null) {
      first = after;
    } else {
      before.next = after;
    }
    if (after == null) {
      last = before;
    } else {
      after.previous = before;
    }
    entry.previous = null;
    entry.next = null;
    size--;
    tokens -= entry.tokens;
  }
}
