package dev.sluice.common.template;

import dev.sluice.common.template.Value.Bool;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.Real;
import dev.sluice.common.template.Value.Text;
import dev.sluice.common.template.Value.Tuple;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code format % values}. */
record PercentFormat(Rendering rendering, Budget budget) {
  private static final Pattern FIELD =
      Pattern.compile(
          "%(?:\\((?<key>[^)]*)\\))?(?<flags>[-+ #0]*)(?<width>\\d{1,9}|\\*)?"
              + "(?:\\.(?<precision>\\d{0,9}))?(?<type>.)?",
          Pattern.DOTALL);

  String format(String format, Value values) {
    List<Value> listed = values instanceof Tuple tuple ? tuple.items() : List.of(values);
    Iterator<Value> next = listed.iterator();
    boolean keyed = false;
    TextBuilder text = new TextBuilder(budget);
    Matcher field = FIELD.matcher(format);
    int end = 0;
    while (field.find(end)) {
      text.append(format.substring(end, field.start()));
      end = field.end();
      String type = field.group("type");
      if (type == null) {
        throw new Failure("incomplete format");
      }
      if (type.equals("%")) {
        text.append('%');
        continue;
      }
      Value value;
      String key = field.group("key");
      if (key != null) {
        keyed = true;
        if (!(values instanceof Dict dict)) {
          throw new Failure("format requires a mapping");
        }
        value = dict.find(key).orElseThrow(() -> new Failure("no value for key '" + key + "'"));
      } else if (next.hasNext()) {
        value = next.next();
      } else {
        throw new Failure("not enough arguments for format string");
      }
      text.append(field(field, type.charAt(0), value));
    }
    text.append(format.substring(end));
    if (!keyed && next.hasNext() && !hasItems(values)) {
      throw new Failure("not all arguments converted during string formatting");
    }
    return text.toString();
  }

  /** Python lets these have parts that the format does not show. */
  private static boolean hasItems(Value values) {
    return values instanceof Dict
        || values instanceof Value.Items
        || values instanceof Value.Range
        || values instanceof Value.Undefined;
  }

  private String field(Matcher field, char type, Value value) {
    String flags = field.group("flags");
    String width = field.group("width");
    if ("*".equals(width)) {
      throw new Failure("width '*' (expected: a number)");
    }
    String precision = field.group("precision");
    Value shown =
        switch (type) {
          case 's' -> new Text(rendering.str(value));
          case 'r', 'a' -> new Text(rendering.repr(value));
          case 'd', 'i', 'u' ->
              value instanceof Real real && Math.abs(real.value()) < Long.MAX_VALUE
                  ? new Int((long) real.value())
                  : value;
          case 'c', 'o', 'x', 'X', 'e', 'E', 'f', 'F', 'g', 'G' -> value;
          default -> throw new Failure("unsupported format character '" + type + "'");
        };
    boolean isNumber = shown instanceof Int || shown instanceof Bool || shown instanceof Real;
    if ("sra".indexOf(type) < 0 && !(isNumber || (type == 'c' && shown instanceof Text))) {
      throw new Failure(
          "%%%c format: a real number is required, not %s".formatted(type, value.type()));
    }
    boolean zero = flags.indexOf('0') >= 0 && isNumber;
    return new FormatSpec(
            zero ? '0' : ' ',
            flags.indexOf('-') >= 0 ? '<' : zero ? '=' : '>',
            flags.indexOf('+') >= 0 ? '+' : flags.indexOf(' ') >= 0 ? ' ' : '-',
            flags.indexOf('#') >= 0,
            width == null ? 0 : Integer.parseInt(width),
            ' ',
            precision == null
                ? OptionalInt.empty()
                : OptionalInt.of(precision.isEmpty() ? 0 : Integer.parseInt(precision)),
            shown instanceof Text ? 's' : "iu".indexOf(type) >= 0 ? 'd' : type)
        .format(shown, rendering, budget);
  }
}
