package dev.sluice.worker.service;

import java.util.List;
import java.util.Optional;

/**
 * Finds the first stop string in a text that arrives in parts, and holds back the tail that may be
 * the beginning of one. The match that ends first wins; of those that end together, the longest.
 *
 * <pre>
 *   arrived:   "It is 5 o'cl"      stop: "clock", "\n"
 *   released:  "It is 5 o'"        held back: "cl"
 * </pre>
 *
 * <p>Threading: one thread, the stream's.
 */
final class StopMatcher {
  private final List<String> stops;
  private final boolean includeStop;
  private final int longest;

  /** Text that arrived and was not released yet. */
  private final StringBuilder held = new StringBuilder();

  private Optional<String> matched = Optional.empty();

  StopMatcher(List<String> stops, boolean includeStop) {
    this.stops = List.copyOf(stops);
    this.includeStop = includeStop;
    this.longest = stops.stream().mapToInt(String::length).max().orElse(0);
  }

  /**
   * Takes the next part and returns the text that is certain to be output. After a match this is
   * the text up to the stop string (and the stop string itself, if it is to be included); what came
   * after it is dropped, and so is all that is appended later.
   */
  String append(String part) {
    if (matched.isPresent()) {
      return "";
    }
    if (stops.isEmpty() || part.isEmpty()) {
      return part;
    }
    int from = held.length();
    held.append(part);
    for (int end = from + 1; end <= held.length(); end++) {
      String stop = endingAt(end);
      if (!stop.isEmpty()) {
        matched = Optional.of(stop);
        String text = held.substring(0, includeStop ? end : end - stop.length());
        held.setLength(0);
        return text;
      }
    }
    int keep = possibleBeginning();
    String text = held.substring(0, held.length() - keep);
    held.delete(0, text.length());
    return text;
  }

  /** The text held back, once it is certain that nothing more comes. */
  String flush() {
    String text = held.toString();
    held.setLength(0);
    return text;
  }

  /** The stop string that was found. */
  Optional<String> matched() {
    return matched;
  }

  /** The longest stop string that ends before this index; empty if none does. */
  private String endingAt(int end) {
    String found = "";
    for (String stop : stops) {
      int start = end - stop.length();
      if (stop.length() > found.length() && start >= 0 && matches(start, stop, stop.length())) {
        found = stop;
      }
    }
    return found;
  }

  /** Length of the longest tail that is a proper beginning of a stop string. */
  private int possibleBeginning() {
    for (int length = Math.min(longest - 1, held.length()); length > 0; length--) {
      int start = held.length() - length;
      for (String stop : stops) {
        if (stop.length() > length && matches(start, stop, length)) {
          return length;
        }
      }
    }
    return 0;
  }

  private boolean matches(int start, String stop, int length) {
    for (int i = 0; i < length; i++) {
      if (held.charAt(start + i) != stop.charAt(i)) {
        return false;
      }
    }
    return true;
  }
}
