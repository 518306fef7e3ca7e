package dev.sluice.common.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Turns what the caller gives into a template's values. */
final class Conversion {
  private static final int MAX_DEPTH = 200;

  private Conversion() {}

  /**
   * The value of a Map with String keys, List, String, whole or floating number, Boolean or null.
   *
   * @param path where it is, for error messages
   */
  static Value toValue(@Nullable Object object, String path, int depth) {
    if (depth > MAX_DEPTH) {
      throw new Failure("values nested too deeply (expected: at most " + MAX_DEPTH + " levels)");
    }
    return switch (object) {
      case null -> Value.None.NONE;
      case String text -> new Value.Text(text);
      case Boolean bool -> Value.Bool.of(bool);
      case Long number -> new Value.Int(number);
      case Integer number -> new Value.Int(number);
      case Double real -> new Value.Real(real);
      case Float real -> new Value.Real(real);
      case List<?> list -> {
        List<Value> items = new ArrayList<>(list.size());
        for (Object item : list) {
          items.add(toValue(item, path + "[]", depth + 1));
        }
        yield new Value.Items(items);
      }
      case Map<?, ?> map -> {
        Dict dict = new Dict();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          if (!(entry.getKey() instanceof String key)) {
            throw new IllegalArgumentException(
                path + ": key " + entry.getKey() + " (expected: a String)");
          }
          dict.put(new Value.Text(key), toValue(entry.getValue(), path + "." + key, depth + 1));
        }
        yield dict;
      }
      default ->
          throw new IllegalArgumentException(
              path
                  + ": "
                  + object.getClass().getName()
                  + " (expected: Map, List, String, Long, Integer, Double, Boolean or null)");
    };
  }
}
