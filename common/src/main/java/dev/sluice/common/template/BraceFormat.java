package dev.sluice.common.template;

import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.Text;

/**
 * Python's {@code format.format(...)}; specifications inside of specifications are not supported.
 */
record BraceFormat(Rendering rendering, Budget budget) {
  String format(String format, Arguments arguments) {
    TextBuilder text = new TextBuilder(budget);
    int automatic = 0;
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      boolean doubled = i + 1 < format.length() && format.charAt(i + 1) == c;
      if ((c == '{' || c == '}') && doubled) {
        text.append(c);
        i++;
      } else if (c == '}') {
        throw new Failure("single '}' encountered in format string");
      } else if (c == '{') {
        int end = format.indexOf('}', i);
        if (end < 0) {
          throw new Failure("single '{' encountered in format string");
        }
        String field = format.substring(i + 1, end);
        if (field.indexOf('{') >= 0) {
          throw new Failure("format '" + field + "' (expected: no field inside of a field)");
        }
        int colon = field.indexOf(':');
        String spec = colon < 0 ? "" : field.substring(colon + 1);
        String name = colon < 0 ? field : field.substring(0, colon);
        int conversion = name.indexOf('!');
        String path = conversion < 0 ? name : name.substring(0, conversion);
        int pathStart = pathStart(path);
        String first = path.substring(0, pathStart);
        Value value =
            walk(
                first.isEmpty() ? positional(arguments, automatic++) : argument(arguments, first),
                path.substring(pathStart));
        if (conversion >= 0) {
          value = convert(value, name.substring(conversion + 1));
        }
        text.append(FormatSpec.parse(spec).format(value, rendering, budget));
        i = end;
      } else {
        text.append(c);
      }
    }
    return text.toString();
  }

  private static int pathStart(String path) {
    int at = 0;
    while (at < path.length() && path.charAt(at) != '.' && path.charAt(at) != '[') {
      at++;
    }
    return at;
  }

  private static Value argument(Arguments arguments, String name) {
    if (isNumber(name)) {
      return positional(arguments, Integer.parseInt(name));
    }
    Value value = arguments.named().get(name);
    if (value == null) {
      throw new Failure("format() has no argument '" + name + "'");
    }
    return value;
  }

  private static Value positional(Arguments arguments, int index) {
    if (index >= arguments.count()) {
      throw new Failure("format() has no argument " + index);
    }
    return arguments.positional().get(index);
  }

  private Value walk(Value start, String path) {
    Value value = start;
    Access access = new Access(budget);
    int i = 0;
    while (i < path.length()) {
      boolean item = path.charAt(i) == '[';
      int end = item ? path.indexOf(']', i) : i + 1 + pathStart(path.substring(i + 1));
      if (end < 0) {
        throw new Failure("format field '" + path + "' (expected: ']')");
      }
      String name = path.substring(i + 1, end);
      if (item) {
        value = access.item(value, isNumber(name) ? new Int(Long.parseLong(name)) : new Text(name));
      } else {
        value = access.attribute(value, name);
      }
      i = item ? end + 1 : end;
    }
    return value;
  }

  private Value convert(Value value, String conversion) {
    return switch (conversion) {
      case "s" -> new Text(rendering.str(value));
      case "r", "a" -> new Text(rendering.repr(value));
      default -> throw new Failure("conversion '!" + conversion + "' (expected: r, s or a)");
    };
  }

  private static boolean isNumber(String text) {
    return !text.isEmpty()
        && text.length() < 10
        && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }
}
