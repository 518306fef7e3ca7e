package dev.sluice.common.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads {@code --scheduler.max-sequences 8 --server.port=9091 --telemetry.enabled}. */
public final class Flags {
  private Flags() {}

  /**
   * Values by key, for {@link ConfigLoader#load}.
   *
   * @param args all of the form {@code --key value}, {@code --key=value} or, for true or false,
   *     {@code --key}; a list may be given by repeating its flag
   * @throws ConfigException with every problem found
   */
  public static Map<String, String> parse(Class<? extends Record> type, List<String> args) {
    Map<String, Schema.Leaf> leaves = new LinkedHashMap<>();
    for (Schema.Leaf leaf : Schema.of(type).leaves()) {
      leaves.put(leaf.key(), leaf);
    }
    Map<String, String> flags = new LinkedHashMap<>();
    List<String> problems = new ArrayList<>();
    for (int i = 0; i < args.size(); i++) {
      String arg = args.get(i);
      if (!arg.startsWith("--") || arg.length() == 2) {
        problems.add(arg + ": unexpected argument (expected: --key value)");
        continue;
      }
      int equals = arg.indexOf('=');
      String key = arg.substring(2, equals < 0 ? arg.length() : equals);
      Schema.Leaf leaf = leaves.get(key);
      boolean valueFollows = i + 1 < args.size() && !args.get(i + 1).startsWith("--");
      String value;
      if (equals >= 0) {
        value = arg.substring(equals + 1);
      } else if (leaf != null && isTruth(leaf) && !(valueFollows && isTruth(args.get(i + 1)))) {
        value = "true";
      } else if (valueFollows) {
        value = args.get(++i);
      } else {
        problems.add("--" + key + ": no value" + (leaf == null ? "" : expected(leaf)));
        continue;
      }
      if (leaf == null) {
        problems.add("--" + key + ": unknown flag " + Nearest.hint(key, leaves.keySet()));
        continue;
      }
      String earlier = flags.put(key, value);
      if (earlier != null) {
        if (leaf.type() instanceof LeafType.Texts) {
          flags.put(key, earlier + "," + value);
        } else {
          problems.add("--" + key + ": given twice: \"" + earlier + "\" and \"" + value + "\"");
        }
      }
    }
    if (!problems.isEmpty()) {
      throw new ConfigException(problems);
    }
    return flags;
  }

  /** Every key with what it takes and its default, for {@code --help}. */
  public static List<Key> keys(Record defaults) {
    List<Key> keys = new ArrayList<>();
    collect(Schema.of(defaults.getClass()), defaults, keys);
    return keys;
  }

  /**
   * A key that can be set.
   *
   * @param expected what it takes, in words
   * @param fallback its default, as YAML
   */
  public record Key(String name, String expected, String fallback, String variable) {}

  private static void collect(Schema schema, Record values, List<Key> keys) {
    for (Schema.Member member : schema.members()) {
      Object value = Reflection.read(member.component(), values);
      switch (member) {
        case Schema.Leaf leaf ->
            keys.add(
                new Key(
                    leaf.key(), leaf.type().expected(), leaf.type().write(value), leaf.variable()));
        case Schema.Section(_, _, Schema inner) -> collect(inner, (Record) value, keys);
      }
    }
  }

  private static boolean isTruth(Schema.Leaf leaf) {
    Class<?> type = leaf.component().getType();
    return type == boolean.class || type == Boolean.class;
  }

  private static boolean isTruth(String text) {
    return text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false");
  }

  private static String expected(Schema.Leaf leaf) {
    return " (expected: " + leaf.type().expected() + ")";
  }
}
