package dev.sluice.common.template;

import dev.sluice.common.template.Value.Bool;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.Real;
import dev.sluice.common.template.Value.Text;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How one value is formatted, by {@code str.format} or {@code %}.
 *
 * @param align {@code <}, {@code >}, {@code ^}, {@code =} (after the sign), or a blank for what is
 *     usual for the type
 * @param sign {@code -}, {@code +} or a blank: what stands before numbers that are not negative
 * @param type as in Python, a blank if not given
 */
record FormatSpec(
    int fill,
    char align,
    char sign,
    boolean alternate,
    int width,
    char grouping,
    OptionalInt precision,
    char type) {
  private static final Pattern SYNTAX =
      Pattern.compile(
          "(?:(?<fill>.)?(?<align>[<>=^]))?(?<sign>[-+ ])?(?<alternate>#)?(?<zero>0)?"
              + "(?<width>\\d{1,9})?(?<grouping>[,_])?(?:\\.(?<precision>\\d{1,9}))?"
              + "(?<type>[a-zA-Z%])?",
          Pattern.DOTALL);

  /** More digits than any double has. */
  private static final int MAX_PRECISION = 1100;

  FormatSpec {
    if (precision.isPresent() && precision.getAsInt() > MAX_PRECISION && type != 's') {
      throw new Failure(
          "precision %d (expected: at most %d)".formatted(precision.getAsInt(), MAX_PRECISION));
    }
  }

  static FormatSpec parse(String spec) {
    Matcher matcher = SYNTAX.matcher(spec);
    if (!matcher.matches()) {
      throw new Failure("format '" + spec + "' (expected: Python's format specification)");
    }
    boolean zero = matcher.group("zero") != null;
    String align = matcher.group("align");
    String fill = matcher.group("fill");
    String precision = matcher.group("precision");
    return new FormatSpec(
        fill != null ? fill.codePointAt(0) : zero ? '0' : ' ',
        align != null ? align.charAt(0) : zero ? '=' : ' ',
        first(matcher.group("sign"), '-'),
        matcher.group("alternate") != null,
        matcher.group("width") == null ? 0 : Integer.parseInt(matcher.group("width")),
        first(matcher.group("grouping"), ' '),
        precision == null ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(precision)),
        first(matcher.group("type"), ' '));
  }

  private static char first(@Nullable String group, char standard) {
    return group == null ? standard : group.charAt(0);
  }

  String format(Value value, Rendering rendering, Budget budget) {
    return switch (value) {
      case Real real -> number(real.value(), budget);
      case Int _ when " dnxXobc".indexOf(type) >= 0 -> integer(value, budget);
      case Bool _ when "dnxXobc".indexOf(type) >= 0 -> integer(value, budget);
      case Int _, Bool _ when "eEfFgG%".indexOf(type) >= 0 ->
          number((double) Arithmetic.integer(value), budget);
      default -> {
        if (type != ' ' && type != 's') {
          throw new Failure(
              "unknown format code '%c' for object of type '%s'".formatted(type, value.type()));
        }
        String text = rendering.str(value);
        if (precision.isPresent() && precision.getAsInt() < PythonText.length(text)) {
          text = PythonText.substring(text, 0, precision.getAsInt());
        }
        yield pad("", text, value instanceof Text ? '<' : '>', budget);
      }
    };
  }

  private String integer(Value value, Budget budget) {
    long number = Arithmetic.integer(value);
    String digits =
        switch (type) {
          case 'x', 'X' -> Long.toString(number, 16);
          case 'o' -> Long.toString(number, 8);
          case 'b' -> Long.toString(number, 2);
          case 'c' -> {
            if (number < 0 || number > Character.MAX_CODE_POINT) {
              throw new Failure("character " + number + " (expected: 0 to 1114111)");
            }
            yield Character.toString((int) number);
          }
          default -> Long.toString(number);
        };
    if (type == 'c') {
      return pad("", digits, '<', budget);
    }
    boolean negative = digits.startsWith("-");
    digits = negative ? digits.substring(1) : digits;
    if (type == 'X') {
      digits = digits.toUpperCase(Locale.ROOT);
    }
    String prefix = alternate && "xXob".indexOf(type) >= 0 ? "0" + type : "";
    return pad(signOf(negative) + prefix, grouped(digits), '>', budget);
  }

  private String number(double value, Budget budget) {
    boolean negative = value < 0 || (value == 0 && 1 / value < 0);
    double magnitude = Math.abs(value);
    int digits = precision.orElse(6);
    String text;
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      text = Rendering.real(magnitude);
    } else {
      text =
          switch (type) {
            case 'f', 'F' -> fixed(magnitude, digits);
            case '%' -> fixed(magnitude * 100, digits) + "%";
            case 'e', 'E' -> exponential(magnitude, digits);
            case 'g', 'G', 'n' -> general(magnitude, Math.max(digits, 1));
            case ' ' ->
                precision.isPresent()
                    ? general(magnitude, Math.max(digits, 1))
                    : Rendering.real(magnitude);
            default ->
                throw new Failure(
                    "unknown format code '%c' for object of type 'float'".formatted(type));
          };
    }
    if (Character.isUpperCase(type)) {
      text = text.toUpperCase(Locale.ROOT);
    }
    return pad(signOf(negative), grouped(text), '>', budget);
  }

  private static String fixed(double value, int digits) {
    return new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).toPlainString();
  }

  private static String exponential(double value, int digits) {
    BigDecimal exact = new BigDecimal(value);
    BigDecimal rounded = exact.round(new MathContext(digits + 1, RoundingMode.HALF_EVEN));
    int exponent = rounded.signum() == 0 ? 0 : rounded.precision() - 1 - rounded.scale();
    String mantissa =
        rounded.movePointLeft(exponent).setScale(digits, RoundingMode.HALF_EVEN).toPlainString();
    return "%se%s%02d".formatted(mantissa, exponent < 0 ? "-" : "+", Math.abs(exponent));
  }

  private static String general(double value, int digits) {
    String exponential = exponential(value, digits - 1);
    int at = exponential.indexOf('e');
    int exponent = Integer.parseInt(exponential.substring(at + 1));
    if (exponent < -4 || exponent >= digits) {
      return withoutTrailingZeros(exponential.substring(0, at)) + exponential.substring(at);
    }
    return withoutTrailingZeros(fixed(value, digits - 1 - exponent));
  }

  private static String withoutTrailingZeros(String number) {
    return number.indexOf('.') < 0
        ? number
        : PythonText.stripEnd(PythonText.stripEnd(number, c -> c == '0'), c -> c == '.');
  }

  private String signOf(boolean negative) {
    return negative ? "-" : sign == '-' ? "" : Character.toString(sign);
  }

  private String grouped(String digits) {
    if (grouping == ' ') {
      return digits;
    }
    int end = 0;
    while (end < digits.length() && Character.digit(digits.charAt(end), 16) >= 0) {
      end++;
    }
    int size = "xXob".indexOf(type) >= 0 ? 4 : 3;
    StringBuilder text = new StringBuilder(digits);
    for (int i = end - size; i > 0; i -= size) {
      text.insert(i, grouping);
    }
    return text.toString();
  }

  private String pad(String prefix, String text, char usual, Budget budget) {
    int missing = width - PythonText.length(prefix) - PythonText.length(text);
    String filler = Character.toString(fill);
    TextBuilder padded = new TextBuilder(budget);
    switch (align == ' ' || (align == '=' && usual == '<') ? usual : align) {
      case '<' -> padded.append(prefix).append(text).repeat(filler, missing);
      case '^' ->
          padded
              .repeat(filler, missing / 2)
              .append(prefix)
              .append(text)
              .repeat(filler, missing - missing / 2);
      case '=' -> padded.append(prefix).repeat(filler, missing).append(text);
      default -> padded.repeat(filler, missing).append(prefix).append(text);
    }
    return padded.toString();
  }
}
