package dev.sluice.common.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** How the values of one Java type are read and written. */
sealed interface LeafType {
  /** For messages: {@code a whole number}. */
  String expected();

  /**
   * The value that a source means.
   *
   * @throws IllegalArgumentException when it is not such a value; the message has both sides
   */
  Object parse(Raw raw);

  /** A YAML value that {@link #parse} reads back. */
  String write(Object value);

  /** A single value; {@code writer} gives plain YAML text. */
  record Scalar(String expected, Function<String, Object> parser, Function<Object, String> writer)
      implements LeafType {
    @Override
    public Object parse(Raw raw) {
      return switch (raw) {
        case Raw.Text(String text) -> parser.apply(text);
        case Raw.Items _ -> throw wrong("a list", expected);
        case Raw.Nothing _ -> throw wrong("nothing", expected);
      };
    }

    @Override
    public String write(Object value) {
      return writer.apply(value);
    }
  }

  /** A list of texts; outside YAML separated by commas. */
  record Texts() implements LeafType {
    @Override
    public String expected() {
      return "a list of texts";
    }

    @Override
    public Object parse(Raw raw) {
      return switch (raw) {
        case Raw.Text(String text) ->
            Arrays.stream(text.split(",", -1))
                .map(String::strip)
                .filter(part -> !part.isEmpty())
                .toList();
        case Raw.Items(List<String> texts) -> texts;
        case Raw.Nothing _ -> throw wrong("nothing", expected());
      };
    }

    @Override
    public String write(Object value) {
      return ((List<?>) value)
          .stream().map(text -> quote((String) text)).collect(Collectors.joining(", ", "[", "]"));
    }
  }

  /** A value that may be absent: null in YAML, empty elsewhere. */
  record Maybe(LeafType element) implements LeafType {
    @Override
    public String expected() {
      return element.expected() + ", or null";
    }

    @Override
    public Object parse(Raw raw) {
      return raw instanceof Raw.Nothing ? Optional.empty() : Optional.of(element.parse(raw));
    }

    @Override
    public String write(Object value) {
      return ((Optional<?>) value).map(present -> element.write(present)).orElse("null");
    }
  }

  /**
   * The leaf type for a component's type.
   *
   * @throws IllegalArgumentException for a type that configuration records must not use
   */
  static LeafType of(Type type) {
    if (type instanceof ParameterizedType generic) {
      Type argument = generic.getActualTypeArguments()[0];
      if (generic.getRawType() == Optional.class) {
        return new Maybe(of(argument));
      }
      if (generic.getRawType() == List.class && argument == String.class) {
        return new Texts();
      }
    } else if (type instanceof Class<?> raw) {
      if (raw == String.class) {
        return new Scalar("a text", text -> text, text -> quote((String) text));
      }
      if (raw == Path.class) {
        return new Scalar("a path", LeafType::path, path -> quote(path.toString()));
      }
      if (raw == int.class || raw == Integer.class) {
        return scalar("a whole number", text -> Integer.valueOf(digits(text)));
      }
      if (raw == long.class || raw == Long.class) {
        return scalar("a whole number", text -> Long.valueOf(digits(text)));
      }
      if (raw == double.class || raw == Double.class) {
        return scalar("a number", LeafType::number);
      }
      if (raw == boolean.class || raw == Boolean.class) {
        return scalar("true or false", LeafType::truth);
      }
      if (raw == Duration.class) {
        return new Scalar(
            Durations.EXPECTED, Durations::parse, value -> Durations.format((Duration) value));
      }
      if (raw == ByteSize.class) {
        return scalar(ByteSize.EXPECTED, ByteSize::parse);
      }
      if (raw.isEnum()) {
        return choice(raw.getEnumConstants());
      }
    }
    throw new IllegalArgumentException(
        type.getTypeName()
            + " (expected: String, int, long, double, boolean, Duration, ByteSize, Path, an enum,"
            + " List<String>, Optional of these, or a record)");
  }

  private static Scalar scalar(String expected, Function<String, Object> parser) {
    return scalar(expected, parser, Object::toString);
  }

  private static Scalar scalar(
      String expected, Function<String, Object> parser, Function<Object, String> writer) {
    return new Scalar(
        expected,
        text -> {
          try {
            return parser.apply(text);
          } catch (IllegalArgumentException _) {
            throw wrong("\"" + text + "\"", expected);
          }
        },
        writer);
  }

  private static Scalar choice(Object[] constants) {
    List<String> names = new ArrayList<>();
    for (Object constant : constants) {
      names.add(kebab((Enum<?>) constant));
    }
    return scalar(
        "one of " + String.join(", ", names),
        text -> {
          int index = names.indexOf(text);
          if (index < 0) {
            throw new IllegalArgumentException(text);
          }
          return constants[index];
        },
        value -> kebab((Enum<?>) value));
  }

  private static String kebab(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static String digits(String text) {
    return text.matches("[+-]?\\d[\\d_]*") ? text.replace("_", "") : "not a number";
  }

  private static Object number(String text) {
    double number = Double.parseDouble(text);
    if (!Double.isFinite(number)) {
      throw new IllegalArgumentException(text);
    }
    return number;
  }

  private static Object truth(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new IllegalArgumentException(text);
    };
  }

  private static Object path(String text) {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException(
          "\"" + text + "\" (expected: a path): " + e.getReason(), e);
    }
  }

  private static IllegalArgumentException wrong(String value, String expected) {
    return new IllegalArgumentException(value + " (expected: " + expected + ")");
  }

  /** YAML text that means exactly this string: plain where nothing could read it otherwise. */
  private static String quote(String text) {
    if (text.matches("[A-Za-z/][A-Za-z0-9_./-]*")
        && !text.matches("(?i)y|n|yes|no|on|off|true|false|null")) {
      return text;
    }
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ' || (c >= 0x7f && !Character.isLetterOrDigit(c))) {
        quoted.append(String.format("\\u%04x", (int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }
}
