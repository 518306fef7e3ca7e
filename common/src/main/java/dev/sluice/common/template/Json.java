package dev.sluice.common.template;

import dev.sluice.common.template.Value.Bool;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.Items;
import dev.sluice.common.template.Value.None;
import dev.sluice.common.template.Value.Real;
import dev.sluice.common.template.Value.Text;
import dev.sluice.common.template.Value.Tuple;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Writes values as Python's {@code json.dumps} does: models were trained on its spaces.
 *
 * @param indent what each level is indented by; empty for one line
 * @param asciiOnly whether other characters are escaped
 */
record Json(
    Optional<String> indent,
    String itemSeparator,
    String keySeparator,
    boolean asciiOnly,
    boolean sortsKeys,
    Budget budget) {

  /** The filter {@code tojson} of chat templates. */
  static Value filter(Value value, Arguments arguments, Budget budget) {
    Arguments.Bound bound =
        arguments.bind("tojson", "ensure_ascii", "indent", "separators", "sort_keys");
    Optional<String> indent =
        bound
            .notNone(1)
            .map(by ->
                by instanceof Text text
                    ? text.value()
                    : new TextBuilder(budget).repeat(" ", bound.integer(1)).toString());
    String itemSeparator = indent.isPresent() ? "," : ", ";
    String keySeparator = ": ";
    if (bound.notNone(2).isPresent()) {
      List<Value> separators = Values.toList(bound.get(2), budget);
      if (separators.size() == 2
          && separators.get(0) instanceof Text item
          && separators.get(1) instanceof Text key) {
        itemSeparator = item.value();
        keySeparator = key.value();
      } else {
        throw new Failure("tojson() argument 'separators' (expected: two strings)");
      }
    }
    Json json =
        new Json(
            indent,
            itemSeparator,
            keySeparator,
            bound.flag(0, false),
            bound.flag(3, false),
            budget);
    TextBuilder text = new TextBuilder(budget);
    json.write(text, value, 0);
    return new Text(text.toString());
  }

  private void write(TextBuilder text, Value value, int level) {
    budget.enter();
    switch (value) {
      case None _ -> text.append("null");
      case Bool bool -> text.append(bool == Bool.TRUE ? "true" : "false");
      case Int number -> text.append(Long.toString(number.value()));
      case Real real -> text.append(real(real.value()));
      case Text string -> quote(text, string.value());
      case Items list -> writeList(text, list.items(), level);
      case Tuple tuple -> writeList(text, tuple.items(), level);
      case Dict dict -> writeDict(text, dict, level);
      case Value.Range _,
          Value.View _,
          Value.Generator _,
          Value.Undefined _,
          Value.Namespace _,
          Value.Function _,
          Loop _ ->
          throw new Failure("Object of type " + value.type() + " is not JSON serializable");
    }
    budget.leave();
  }

  private void writeList(TextBuilder text, List<Value> items, int level) {
    text.append('[');
    boolean first = true;
    for (Value item : items) {
      separate(text, first, level + 1);
      write(text, item, level + 1);
      first = false;
    }
    end(text, first, level, ']');
  }

  private void writeDict(TextBuilder text, Dict dict, int level) {
    text.append('{');
    boolean first = true;
    Collection<Dict.Entry> entries = dict.entries();
    if (sortsKeys) {
      Comparing comparing = new Comparing(budget);
      Comparator<Dict.Entry> byKey = Comparator.comparing(Dict.Entry::key, comparing::order);
      entries = entries.stream().sorted(byKey).toList();
    }
    for (Dict.Entry entry : entries) {
      separate(text, first, level + 1);
      quote(text, key(entry.key()));
      text.append(keySeparator);
      write(text, entry.value(), level + 1);
      first = false;
    }
    end(text, first, level, '}');
  }

  private static String key(Value key) {
    return switch (key) {
      case Text text -> text.value();
      case None _ -> "null";
      case Bool bool -> bool == Bool.TRUE ? "true" : "false";
      case Int number -> Long.toString(number.value());
      case Real real -> real(real.value());
      default -> throw new Failure("keys must be str, int, float, bool or None, not " + key.type());
    };
  }

  private void separate(TextBuilder text, boolean first, int level) {
    if (!first) {
      text.append(itemSeparator);
    }
    newLine(text, level);
  }

  private void end(TextBuilder text, boolean empty, int level, char bracket) {
    if (!empty) {
      newLine(text, level);
    }
    text.append(bracket);
  }

  private void newLine(TextBuilder text, int level) {
    indent.ifPresent(by -> text.append('\n').repeat(by, level));
  }

  private static String real(double value) {
    if (Double.isNaN(value)) {
      return "NaN";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "Infinity" : "-Infinity";
    }
    return Rendering.real(value);
  }

  private void quote(TextBuilder text, String string) {
    text.append('"');
    for (int i = 0; i < string.length(); i++) {
      char c = string.charAt(i);
      switch (c) {
        case '"' -> text.append("\\\"");
        case '\\' -> text.append("\\\\");
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        case '\b' -> text.append("\\b");
        case '\f' -> text.append("\\f");
        default -> {
          if (c < ' ' || (asciiOnly && c > '~')) {
            text.append("\\u%04x".formatted((int) c));
          } else {
            text.append(c);
          }
        }
      }
    }
    text.append('"');
  }
}
