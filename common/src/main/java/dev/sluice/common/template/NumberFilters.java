package dev.sluice.common.template;

import dev.sluice.common.template.Arguments.Bound;
import dev.sluice.common.template.Value.Bool;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.Real;
import dev.sluice.common.template.Value.Text;
import dev.sluice.common.template.Value.Undefined;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Optional;
import java.util.regex.Pattern;

/** Filters on numbers. */
final class NumberFilters {
  private static final Pattern REAL =
      Pattern.compile(
          "[-+]?(?:(?:\\d[\\d_]*+\\.?+[\\d_]*+|\\.\\d[\\d_]*+)(?:[eE][-+]?\\d++)?"
              + "|(?i:inf|infinity|nan))");
  private static final Pattern INTEGER = Pattern.compile("[-+]?[0-9a-zA-Z][0-9a-zA-Z_]*+");

  private final Arithmetic arithmetic;

  NumberFilters(Budget budget) {
    this.arithmetic = new Arithmetic(budget);
  }

  Value apply(String name, Value value, Arguments arguments) {
    return switch (name) {
      case "abs" -> {
        arguments.bind(name);
        if (!Comparing.isNumber(value)) {
          throw new Failure("bad operand type for abs(): '" + value.type() + "'");
        }
        yield arithmetic.sign(Arithmetic.real(value) < 0, value);
      }
      case "int" -> {
        Bound bound = arguments.bind(name, "default", "base");
        yield integer(value, (int) bound.integer(1, 10)).orElse(bound.get(0, new Int(0)));
      }
      case "float" -> real(value).orElse(arguments.bind(name, "default").get(0, new Real(0)));
      case "round" -> {
        Bound bound = arguments.bind(name, "precision", "method");
        yield round(value, bound.integer(0, 0), bound.text(1, "common"));
      }
      default -> throw new Failure("No filter named '" + name + "'.");
    };
  }

  private static Optional<Value> integer(Value value, int base) {
    return switch (value) {
      case Int number -> Optional.of(number);
      case Bool bool -> Optional.of(new Int(bool.number));
      case Text text -> {
        String digits = PythonText.strip(text.value(), PythonText::isSpace).replace("_", "");
        if (base >= 2 && base <= 36 && INTEGER.matcher(digits).matches()) {
          try {
            yield Optional.of(new Int(Long.parseLong(withoutPrefix(digits, base), base)));
          } catch (NumberFormatException e) {
            // Not an integer: Python goes on with the float.
            yield real(value).flatMap(NumberFilters::truncate);
          }
        }
        yield real(value).flatMap(NumberFilters::truncate);
      }
      default -> real(value).flatMap(NumberFilters::truncate);
    };
  }

  private static String withoutPrefix(String digits, int base) {
    boolean prefixed =
        switch (base) {
          case 2 -> digits.startsWith("0b") || digits.startsWith("0B");
          case 8 -> digits.startsWith("0o") || digits.startsWith("0O");
          case 16 -> digits.startsWith("0x") || digits.startsWith("0X");
          default -> false;
        };
    return prefixed ? digits.substring(2) : digits;
  }

  private static Optional<Value> truncate(Value real) {
    double value = Arithmetic.real(real);
    return Math.abs(value) < Long.MAX_VALUE ? Optional.of(new Int((long) value)) : Optional.empty();
  }

  private static Optional<Value> real(Value value) {
    return switch (value) {
      case Int _, Bool _, Real _ -> Optional.of(new Real(Arithmetic.real(value)));
      case Text text -> {
        String digits = PythonText.strip(text.value(), PythonText::isSpace);
        if (!REAL.matcher(digits).matches()) {
          yield Optional.empty();
        }
        String lower = Casing.lower(digits).replace("_", "");
        boolean negative = lower.startsWith("-");
        if (lower.endsWith("nan")) {
          yield Optional.of(new Real(Double.NaN));
        }
        if (lower.contains("inf")) {
          yield Optional.of(
              new Real(negative ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY));
        }
        yield Optional.of(new Real(Double.parseDouble(lower)));
      }
      case Undefined undefined -> throw new Failure(undefined.message());
      default -> Optional.empty();
    };
  }

  private static Value round(Value value, long precision, String method) {
    if (!Comparing.isNumber(value)) {
      throw new Failure("type " + value.type() + " doesn't define __round__ method");
    }
    RoundingMode mode =
        switch (method) {
          case "common" -> RoundingMode.HALF_EVEN;
          case "ceil" -> RoundingMode.CEILING;
          case "floor" -> RoundingMode.FLOOR;
          default -> throw new Failure("method must be common, ceil or floor");
        };
    int digits = Math.clamp(precision, -400, 400);
    double real = Arithmetic.real(value);
    if (method.equals("common") && !(value instanceof Real)) {
      BigDecimal rounded = new BigDecimal(Arithmetic.integer(value)).setScale(digits, mode);
      return new Int(digits >= 0 ? Arithmetic.integer(value) : rounded.longValue());
    }
    if (Double.isNaN(real) || Double.isInfinite(real)) {
      return value;
    }
    if (method.equals("common")) {
      return new Real(new BigDecimal(real).setScale(digits, mode).doubleValue());
    }
    double scale = Math.pow(10, digits);
    double scaled = real * scale;
    return new Real((method.equals("ceil") ? Math.ceil(scaled) : Math.floor(scaled)) / scale);
  }
}
