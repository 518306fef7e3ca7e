package dev.sluice.worker.constraint;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Compiled constraints by their content; those used least recently go first when their memory
 * exceeds a bound.
 *
 * <p>Threading: any thread; one lock, held for a look-up, or for a sum over all that it holds when
 * something new comes.
 */
final class ConstraintCache {
  private static final int MAX_ENTRIES = 1000;

  private final LinkedHashMap<ConstraintSource, Constraint> entries =
      new LinkedHashMap<>(16, 0.75f, true);
  private final long maxBytes;

  ConstraintCache(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  synchronized Optional<Constraint> get(ConstraintSource source) {
    return Optional.ofNullable(entries.get(source));
  }

  synchronized void put(ConstraintSource source, Constraint constraint) {
    entries.put(source, constraint);
    long bytes = 0; // of all: what is known of states grows while constraints are used
    for (Map.Entry<ConstraintSource, Constraint> entry : entries.entrySet()) {
      bytes += bytes(entry);
    }
    Iterator<Map.Entry<ConstraintSource, Constraint>> oldest = entries.entrySet().iterator();
    while (entries.size() > 1 && (bytes > maxBytes || entries.size() > MAX_ENTRIES)) {
      bytes -= bytes(oldest.next());
      oldest.remove();
    }
  }

  private static long bytes(Map.Entry<ConstraintSource, Constraint> entry) {
    return 2L * entry.getKey().length() + entry.getValue().bytes();
  }
}
