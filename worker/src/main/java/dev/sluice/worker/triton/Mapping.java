package dev.sluice.worker.triton;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads lists of name=value. */
final class Mapping {
  private Mapping() {}

  /**
   * @param key for messages
   * @param names that may be before the equals sign; empty: any
   * @throws IllegalArgumentException if an entry is none
   */
  static Map<String, String> parse(String key, List<String> entries, List<String> names) {
    Map<String, String> map = new LinkedHashMap<>();
    for (String entry : entries) {
      int equals = entry.indexOf('=');
      String name = equals < 1 ? "" : entry.substring(0, equals);
      if (equals < 1 || (!names.isEmpty() && !names.contains(name))) {
        throw new IllegalArgumentException(
            key
                + ": "
                + entry
                + " (expected: name=value"
                + (names.isEmpty() ? "" : ", with a name of " + String.join(", ", names))
                + ")");
      }
      map.put(name, entry.substring(equals + 1));
    }
    return map;
  }
}
