package dev.sluice.common.template;

import dev.sluice.common.template.Value.Bool;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.None;
import dev.sluice.common.template.Value.Real;
import dev.sluice.common.template.Value.Text;
import dev.sluice.common.template.Value.Tuple;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Python's {@code dict}: keeps the order in which keys were first put; keys that are equal in
 * Python ({@code 1}, {@code 1.0} and {@code True}) are one key.
 *
 * <p>Threading: written by the one thread that makes it, then read only.
 */
final class Dict implements Value {
  /** A key as it was put, and what it maps to. */
  record Entry(Value key, Value value) {}

  private static final int MAX_KEY_PARTS = 500;

  private final Map<Object, Entry> entries = new LinkedHashMap<>();

  void put(Value key, Value value) {
    Object hash = hash(key).orElseThrow(() -> new Failure("unhashable type: " + quoted(key)));
    Entry old = entries.get(hash);
    entries.put(hash, new Entry(old == null ? key : old.key, value));
  }

  void putAll(Dict other) {
    other.entries().forEach(entry -> put(entry.key(), entry.value()));
  }

  /** Empty also for a key that no dict can have. */
  Optional<Value> find(Value key) {
    return hash(key).map(entries::get).map(Entry::value);
  }

  Optional<Value> find(String key) {
    return Optional.ofNullable(entries.get(key)).map(Entry::value);
  }

  Collection<Entry> entries() {
    return entries.values();
  }

  List<Value> keys() {
    return entries.values().stream().map(Entry::key).toList();
  }

  List<Value> values() {
    return entries.values().stream().map(Entry::value).toList();
  }

  List<Value> items() {
    return entries.values().stream()
        .<Value>map(entry -> new Tuple(List.of(entry.key(), entry.value())))
        .toList();
  }

  int size() {
    return entries.size();
  }

  private static Optional<Object> hash(Value key) {
    return hash(key, new int[] {MAX_KEY_PARTS});
  }

  /**
   * An object that is equal for keys that are equal in Python; empty if it cannot be a key.
   *
   * @param parts in its only element: values that the key may still be made of
   */
  private static Optional<Object> hash(Value key, int[] parts) {
    if (--parts[0] < 0) {
      throw new Failure("a key of many tuples (expected: at most " + MAX_KEY_PARTS + " parts)");
    }
    return switch (key) {
      case Text text -> Optional.of(text.value());
      case Int number -> Optional.of(number.value());
      case Bool bool -> Optional.of(bool.number);
      case Real real -> {
        long whole = (long) real.value();
        yield Optional.of(whole == real.value() ? (Object) whole : real.value());
      }
      case None none -> Optional.of(none);
      case Tuple tuple -> {
        List<Object> hashes = new ArrayList<>();
        for (Value item : tuple.items()) {
          Optional<Object> hash = hash(item, parts);
          if (hash.isEmpty()) {
            yield Optional.empty();
          }
          hashes.add(hash.get());
        }
        yield Optional.of(hashes);
      }
      case Items _,
          Dict _,
          Range _,
          View _,
          Generator _,
          Undefined _,
          Namespace _,
          Function _,
          Loop _ ->
          Optional.empty();
    };
  }

  private static String quoted(Value key) {
    return "'" + key.type() + "'";
  }
}
