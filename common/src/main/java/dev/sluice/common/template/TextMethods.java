package dev.sluice.common.template;

import dev.sluice.common.template.Arguments.Bound;
import dev.sluice.common.template.Value.Bool;
import dev.sluice.common.template.Value.Code;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.Text;
import dev.sluice.common.template.Value.Tuple;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;
import java.util.function.Supplier;

/** Methods of Python's {@code str}. */
final class TextMethods {
  private static final Code NO_METHOD =
      _ -> {
        throw new IllegalStateException("no method");
      };

  /** Digits, though not decimal ones. */
  private static final String SUPERSCRIPTS =
      "\u00b2\u00b3\u00b9\u2070\u2074\u2075\u2076\u2077\u2078\u2079"
          + "\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2087\u2088\u2089";

  private final Budget budget;

  TextMethods(Budget budget) {
    this.budget = budget;
  }

  /** Empty if strings have no such method. */
  @SuppressWarnings("ReferenceEquality")
  Optional<Code> find(String self, String name) {
    Code code = transforming(self, name);
    code = code == NO_METHOD ? cutting(self, name) : code;
    code = code == NO_METHOD ? asking(self, name) : code;
    if (code == NO_METHOD) {
      return Optional.empty();
    }
    Code found = code;
    return Optional.of(arguments -> {
      budget.charge(self.length());
      return found.call(arguments);
    });
  }

  private Code transforming(String self, String name) {
    return switch (name) {
      case "upper" -> plain(name, () -> Casing.upper(self));
      case "lower", "casefold" -> plain(name, () -> Casing.lower(self));
      case "capitalize" -> plain(name, () -> Casing.capitalize(self));
      case "title" -> plain(name, () -> Casing.title(self));
      case "swapcase" -> plain(name, () -> Casing.swap(self));
      case "strip" -> arguments -> new Text(PythonText.strip(self, stripped(name, arguments)));
      case "lstrip" ->
          arguments -> new Text(PythonText.stripStart(self, stripped(name, arguments)));
      case "rstrip" -> arguments -> new Text(PythonText.stripEnd(self, stripped(name, arguments)));
      case "removeprefix" ->
          arguments -> {
            String prefix = arguments.bind(name, "prefix").text(0);
            return new Text(self.startsWith(prefix) ? self.substring(prefix.length()) : self);
          };
      case "removesuffix" ->
          arguments -> {
            String suffix = arguments.bind(name, "suffix").text(0);
            return new Text(
                self.endsWith(suffix) ? self.substring(0, self.length() - suffix.length()) : self);
          };
      case "replace" ->
          arguments -> {
            Bound bound = arguments.bind(name, "old", "new", "count");
            return new Text(replace(self, bound.text(0), bound.text(1), bound.integer(2, -1)));
          };
      case "join" ->
          arguments -> {
            List<Value> parts = Values.toList(arguments.bind(name, "iterable").get(0), budget);
            for (Value part : parts) {
              if (!(part instanceof Text)) {
                throw new Failure(
                    "sequence item: expected str instance, " + part.type() + " found");
              }
            }
            return new Text(join(self, parts));
          };
      case "center", "ljust", "rjust" ->
          arguments -> {
            Bound bound = arguments.bind(name, "width", "fillchar");
            return new Text(pad(self, name, bound.integer(0), bound.text(1, " ")));
          };
      case "zfill" ->
          arguments -> {
            long missing = arguments.bind(name, "width").integer(0) - PythonText.length(self);
            int sign = self.startsWith("-") || self.startsWith("+") ? 1 : 0;
            TextBuilder text = new TextBuilder(budget).append(self.substring(0, sign));
            return new Text(text.repeat("0", missing).append(self.substring(sign)).toString());
          };
      case "expandtabs" ->
          arguments -> new Text(expandTabs(self, arguments.bind(name, "tabsize").integer(0, 8)));
      case "format" ->
          arguments ->
              new Text(new BraceFormat(new Rendering(budget), budget).format(self, arguments));
      default -> NO_METHOD;
    };
  }

  private Code cutting(String self, String name) {
    return switch (name) {
      case "split", "rsplit" ->
          arguments -> {
            Bound bound = arguments.bind(name, "sep", "maxsplit");
            long most = bound.integer(1, -1);
            boolean fromEnd = name.equals("rsplit");
            Optional<String> separator = bound.optionalText(0);
            if (separator.isEmpty()) {
              return texts(
                  fromEnd
                      ? PythonText.splitBlanksFromEnd(self, most)
                      : PythonText.splitBlanks(self, most));
            }
            requireSeparator(separator.get());
            return texts(
                fromEnd
                    ? PythonText.splitFromEnd(self, separator.get(), most)
                    : PythonText.split(self, separator.get(), most));
          };
      case "splitlines" ->
          arguments ->
              texts(PythonText.splitLines(self, arguments.bind(name, "keepends").flag(0, false)));
      case "partition", "rpartition" ->
          arguments -> {
            String separator = arguments.bind(name, "sep").text(0);
            requireSeparator(separator);
            boolean fromEnd = name.equals("rpartition");
            int at = fromEnd ? self.lastIndexOf(separator) : self.indexOf(separator);
            if (at < 0) {
              return new Tuple(
                  Value.texts(fromEnd ? List.of("", "", self) : List.of(self, "", "")).items());
            }
            String after = self.substring(at + separator.length());
            return new Tuple(Value.texts(List.of(self.substring(0, at), separator, after)).items());
          };
      default -> NO_METHOD;
    };
  }

  private Code asking(String self, String name) {
    return switch (name) {
      case "startswith", "endswith" ->
          arguments -> {
            Bound bound = arguments.bind(name, "prefix", "start", "end");
            String part = part(self, bound, 1);
            List<Value> affixes =
                bound.get(0) instanceof Tuple tuple ? tuple.items() : List.of(bound.get(0));
            boolean any = false;
            for (Value affix : affixes) {
              if (!(affix instanceof Text text)) {
                throw new Failure(
                    "%s first arg must be str or a tuple of str, not %s"
                        .formatted(name, affix.type()));
              }
              any |=
                  name.equals("startswith")
                      ? part.startsWith(text.value())
                      : part.endsWith(text.value());
            }
            return Bool.of(any);
          };
      case "find", "rfind", "index", "rindex" ->
          arguments -> {
            Bound bound = arguments.bind(name, "sub", "start", "end");
            String part = part(self, bound, 1);
            String wanted = bound.text(0);
            int at = name.startsWith("r") ? part.lastIndexOf(wanted) : part.indexOf(wanted);
            if (at >= 0) {
              return new Int(PythonText.length(part.substring(0, at)) + start(self, bound, 1));
            }
            if (name.endsWith("index")) {
              throw new Failure("substring not found");
            }
            return new Int(-1);
          };
      case "count" ->
          arguments -> {
            Bound bound = arguments.bind(name, "sub", "start", "end");
            return new Int(
                PythonText.count(/* text= */ part(self, bound, 1), /* part= */ bound.text(0)));
          };
      case "isspace" -> test(name, () -> all(self, PythonText::isSpace));
      case "isalpha" -> test(name, () -> all(self, Character::isLetter));
      case "isdigit" -> test(name, () -> all(self, TextMethods::isDigit));
      case "isdecimal" -> test(name, () -> all(self, Character::isDigit));
      case "isnumeric" -> test(name, () -> all(self, TextMethods::isNumeric));
      case "isalnum" -> test(name, () -> all(self, c -> Character.isLetter(c) || isNumeric(c)));
      case "isascii" -> test(name, () -> self.codePoints().allMatch(c -> c < 0x80));
      case "isprintable" -> test(name, () -> self.codePoints().allMatch(Rendering::isPrintable));
      case "islower" -> test(name, () -> Casing.isLower(self));
      case "isupper" -> test(name, () -> Casing.isUpper(self));
      case "istitle" -> test(name, () -> Casing.isTitle(self));
      case "isidentifier" ->
          test(
              name,
              () ->
                  !self.isEmpty()
                      && (self.charAt(0) == '_'
                          || Character.isUnicodeIdentifierStart(self.codePointAt(0)))
                      && self.codePoints()
                          .allMatch(c -> c == '_' || Character.isUnicodeIdentifierPart(c)));
      default -> NO_METHOD;
    };
  }

  String replace(String self, String old, String with, long most) {
    long count = PythonText.count(self, old);
    long done = most < 0 ? count : Math.min(count, most);
    budget.charge(self.length() + done * (with.length() - (long) old.length()));
    if (done == 0) {
      return self;
    }
    StringBuilder text = new StringBuilder();
    int start = 0;
    int at = 0;
    for (long i = 0; i < done; i++) {
      at = self.indexOf(old, at);
      text.append(self, start, at).append(with);
      start = at + old.length();
      at = start;
      if (old.isEmpty() && at < self.length()) {
        at += Character.charCount(self.codePointAt(at));
      }
    }
    return text.append(self, start, self.length()).toString();
  }

  /** Parts as {@code str} with a separator between them. */
  String join(String separator, List<Value> parts) {
    Rendering rendering = new Rendering(budget);
    TextBuilder text = new TextBuilder(budget);
    for (int i = 0; i < parts.size(); i++) {
      text.append(i == 0 ? "" : separator).append(rendering.str(parts.get(i)));
    }
    return text.toString();
  }

  /** As the method {@code center}, {@code ljust} or {@code rjust}. */
  String pad(String self, String how, long width, String filler) {
    if (PythonText.length(filler) != 1) {
      throw new Failure("The fill character must be exactly one character long");
    }
    long missing = Math.max(0, width - PythonText.length(self));
    long left =
        switch (how) {
          case "ljust" -> 0;
          case "rjust" -> missing;
          default -> missing / 2 + (missing & width & 1);
        };
    TextBuilder text = new TextBuilder(budget).repeat(filler, left).append(self);
    return text.repeat(filler, missing - left).toString();
  }

  private String expandTabs(String self, long size) {
    TextBuilder text = new TextBuilder(budget);
    long column = 0;
    for (int c : self.codePoints().toArray()) {
      if (c == '\t') {
        long blanks = size > 0 ? size - column % size : 0;
        text.repeat(" ", blanks);
        column += blanks;
      } else {
        text.appendCodePoint(c);
        column = c == '\n' || c == '\r' ? 0 : column + 1;
      }
    }
    return text.toString();
  }

  private Value texts(List<String> texts) {
    budget.charge(texts.size() * 4L);
    return Value.texts(texts);
  }

  private static IntPredicate stripped(String name, Arguments arguments) {
    Optional<String> characters = arguments.bind(name, "chars").optionalText(0);
    return characters
        .<IntPredicate>map(set -> c -> set.indexOf(c) >= 0)
        .orElse(PythonText::isSpace);
  }

  private static void requireSeparator(String separator) {
    if (separator.isEmpty()) {
      throw new Failure("empty separator");
    }
  }

  /** The part of a string that the arguments {@code start} and {@code end} name. */
  private static String part(String self, Bound bound, int index) {
    if (bound.notNone(index).isEmpty() && bound.notNone(index + 1).isEmpty()) {
      return self;
    }
    int size = PythonText.length(self);
    long start = start(self, bound, index);
    long end = clip(bound.integer(index + 1, size), size);
    return start >= end ? "" : PythonText.substring(self, (int) start, (int) end);
  }

  private static long start(String self, Bound bound, int index) {
    return clip(bound.integer(index, 0), PythonText.length(self));
  }

  private static long clip(long place, int size) {
    return Math.clamp(place < 0 ? place + size : place, 0, size);
  }

  private static Code plain(String name, Supplier<String> result) {
    return arguments -> {
      arguments.bind(name);
      return new Text(result.get());
    };
  }

  private static Code test(String name, BooleanSupplier result) {
    return arguments -> {
      arguments.bind(name);
      return Bool.of(result.getAsBoolean());
    };
  }

  private static boolean all(String self, IntPredicate test) {
    return !self.isEmpty() && self.codePoints().allMatch(test);
  }

  private static boolean isDigit(int c) {
    return Character.isDigit(c) || SUPERSCRIPTS.indexOf(c) >= 0;
  }

  private static boolean isNumeric(int c) {
    return switch (Character.getType(c)) {
      case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> true;
      default -> false;
    };
  }
}
