package dev.sluice.common.telemetry;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Bounds how many values a label can have that clients, or time, make up: the first 1,000 are kept,
 * the rest become {@code other}. Threading: thread-safe.
 */
public final class CappedLabel {
  static final int MOST_VALUES = 1000;
  private static final String OTHER = "other";

  private final Set<String> seen = ConcurrentHashMap.newKeySet();
  private final AtomicInteger room = new AtomicInteger(MOST_VALUES);

  /** The value itself, or {@code other}; the same value always gives the same answer. */
  public String of(String value) {
    if (seen.contains(value)) {
      return value;
    }
    if (room.getAndUpdate(left -> Math.max(0, left - 1)) == 0) {
      return OTHER;
    }
    seen.add(value);
    return value;
  }
}
