package dev.sluice.common.template;

import dev.sluice.common.template.Arguments.Bound;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.Text;
import dev.sluice.common.template.Value.Tuple;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Filters that make text. */
final class TextFilters {
  private static final String BEFORE_WORD = "-({[<";
  private static final Pattern WORD = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);

  private final Budget budget;
  private final Rendering rendering;
  private final TextMethods methods;

  TextFilters(Budget budget) {
    this.budget = budget;
    this.rendering = new Rendering(budget);
    this.methods = new TextMethods(budget);
  }

  Value apply(String name, Value value, Arguments arguments) {
    String text = rendering.str(value);
    budget.charge(text.length());
    return switch (name) {
      case "upper" -> plain(name, arguments, Casing.upper(text));
      case "lower" -> plain(name, arguments, Casing.lower(text));
      case "capitalize" -> plain(name, arguments, Casing.capitalize(text));
      case "title" -> plain(name, arguments, title(text));
      case "string", "safe" -> plain(name, arguments, text);
      case "e", "escape", "forceescape" -> plain(name, arguments, escape(text));
      case "urlencode" -> plain(name, arguments, urlEncode(value, text));
      case "wordcount" -> {
        arguments.bind(name);
        yield new Int(WORD.matcher(text).results().count());
      }
      case "trim" -> {
        Optional<String> characters = arguments.bind(name, "chars").optionalText(0);
        yield new Text(
            PythonText.strip(
                text,
                c -> characters.map(set -> set.indexOf(c) >= 0).orElse(PythonText.isSpace(c))));
      }
      case "center" ->
          new Text(methods.pad(text, name, arguments.bind(name, "width").integer(0, 80), " "));
      case "replace" -> {
        Bound bound = arguments.bind(name, "old", "new", "count");
        String old = rendering.str(bound.get(0));
        String with = rendering.str(bound.get(1));
        yield new Text(methods.replace(text, old, with, bound.integer(2, -1)));
      }
      case "format" -> {
        Value values = new Tuple(arguments.positional());
        if (!arguments.named().isEmpty()) {
          Dict dict = new Dict();
          arguments.named().forEach((key, item) -> dict.put(new Text(key), item));
          values = dict;
        }
        yield new Text(new PercentFormat(rendering, budget).format(text, values));
      }
      case "indent" -> new Text(indent(text, arguments.bind(name, "width", "first", "blank")));
      case "truncate" ->
          new Text(truncate(text, arguments.bind(name, "length", "killwords", "end", "leeway")));
      default -> throw new Failure("No filter named '" + name + "'.");
    };
  }

  private static Value plain(String name, Arguments arguments, String result) {
    arguments.bind(name);
    return new Text(result);
  }

  /** Unlike the method, only what follows a blank or an opening bracket starts a word. */
  private static String title(String text) {
    StringBuilder titled = new StringBuilder(text.length());
    boolean first = true;
    for (int c : text.codePoints().toArray()) {
      String character = Character.toString(c);
      boolean separator = PythonText.isSpace(c) || BEFORE_WORD.indexOf(c) >= 0;
      titled.append(first ? Casing.upper(character) : Casing.lower(character));
      first = separator;
    }
    return titled.toString();
  }

  private String escape(String text) {
    TextBuilder escaped = new TextBuilder(budget);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> escaped.append("&amp;");
        case '<' -> escaped.append("&lt;");
        case '>' -> escaped.append("&gt;");
        case '"' -> escaped.append("&#34;");
        case '\'' -> escaped.append("&#39;");
        default -> escaped.append(c);
      }
    }
    return escaped.toString();
  }

  private String urlEncode(Value value, String text) {
    if (value instanceof Text || !Values.isIterable(value)) {
      budget.charge(text.length() * 9L);
      return quote(text).replace("%2F", "/");
    }
    List<Value> pairs = value instanceof Dict dict ? dict.items() : Values.toList(value, budget);
    TextBuilder query = new TextBuilder(budget);
    for (int i = 0; i < pairs.size(); i++) {
      List<Value> pair = Values.toList(pairs.get(i), budget);
      if (pair.size() != 2) {
        throw new Failure("urlencode: " + pair.size() + " values (expected: pairs)");
      }
      for (Value part : pair) {
        budget.charge(rendering.str(part).length() * 9L);
      }
      query.append(i == 0 ? "" : "&");
      query.append(quote(rendering.str(pair.get(0))).replace("%20", "+")).append('=');
      query.append(quote(rendering.str(pair.get(1))).replace("%20", "+"));
    }
    return query.toString();
  }

  private static String quote(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8)
        .replace("+", "%20")
        .replace("*", "%2A")
        .replace("%7E", "~");
  }

  private String indent(String text, Bound bound) {
    Value width = bound.get(0, new Int(4));
    String indention =
        width instanceof Text given
            ? given.value()
            : new TextBuilder(budget).repeat(" ", bound.integer(0, 4)).toString();
    boolean blank = bound.flag(2, false);
    List<String> lines = PythonText.splitLines(text + "\n", false);
    TextBuilder indented = new TextBuilder(budget);
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      boolean indents = i == 0 ? bound.flag(1, false) : blank || !line.isEmpty();
      indented.append(i == 0 ? "" : "\n").append(indents ? indention : "").append(line);
    }
    return indented.toString();
  }

  private static String truncate(String text, Bound bound) {
    long length = bound.integer(0, 255);
    String end = bound.text(2, "...");
    long leeway = bound.integer(3, 5);
    int endLength = PythonText.length(end);
    if (length < endLength || leeway < 0) {
      throw new Failure(
          "truncate: length %d, leeway %d (expected: at least %d and 0)"
              .formatted(length, leeway, endLength));
    }
    if (PythonText.length(text) - leeway <= length) {
      return text;
    }
    String cut = PythonText.substring(text, 0, (int) length - endLength);
    int blank = cut.lastIndexOf(' ');
    return (bound.flag(1, false) || blank < 0 ? cut : cut.substring(0, blank)) + end;
  }
}
