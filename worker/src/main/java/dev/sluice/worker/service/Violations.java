package dev.sluice.worker.service;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import java.util.ArrayList;
import java.util.List;

/** Collects what is wrong with a request, so that the caller learns all of it at once. */
final class Violations {
  private final List<Refusal.Violation> list = new ArrayList<>();

  void add(String field, String description) {
    list.add(new Refusal.Violation(field, description));
  }

  void check(boolean holds, String field, String description) {
    if (!holds) {
      add(field, description);
    }
  }

  /** Accepts low to high, without low itself if it is exclusive; never NaN. */
  void range(String field, double value, double low, double high, boolean lowExclusive) {
    boolean holds = value <= high && (lowExclusive ? value > low : value >= low);
    if (!holds) {
      add(
          field,
          text(value)
              + " (expected: "
              + (lowExclusive ? "above " : "")
              + text(low)
              + " to "
              + text(high)
              + ")");
    }
  }

  /** Accepts a uint32 from low to high. */
  void unsigned(String field, int value, int low, int high) {
    check(
        Integer.compareUnsigned(value, low) >= 0 && Integer.compareUnsigned(value, high) <= 0,
        field,
        Integer.toUnsignedString(value) + " (expected: " + low + " to " + high + ")");
  }

  void throwIfAny() {
    if (!list.isEmpty()) {
      throw new RefusalException(new Refusal.Invalid(list));
    }
  }

  /** Fields are floats: shows 0.7, not the double nearest to the float. */
  private static String text(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e9
        ? Long.toString((long) value)
        : Float.toString((float) value);
  }
}
