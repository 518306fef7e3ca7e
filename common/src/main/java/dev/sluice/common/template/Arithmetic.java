package dev.sluice.common.template;

import dev.sluice.common.template.Expression.BinaryOperator;
import dev.sluice.common.template.Value.Bool;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.Items;
import dev.sluice.common.template.Value.Real;
import dev.sluice.common.template.Value.Text;
import dev.sluice.common.template.Value.Tuple;
import dev.sluice.common.template.Value.Undefined;
import java.util.ArrayList;
import java.util.List;

/** Python's operators on numbers, strings and lists; integers have 64 bits. */
final class Arithmetic {
  private final Budget budget;
  private final Rendering rendering;

  Arithmetic(Budget budget) {
    this.budget = budget;
    this.rendering = new Rendering(budget);
  }

  Value apply(BinaryOperator operator, Value left, Value right) {
    if (operator == BinaryOperator.MODULO && left instanceof Text format) {
      return new Text(new PercentFormat(rendering, budget).format(format.value(), right));
    }
    for (Value side : List.of(left, right)) {
      if (side instanceof Undefined undefined) {
        throw new Failure(undefined.message());
      }
    }
    if (Comparing.isNumber(left) && Comparing.isNumber(right)) {
      try {
        return left instanceof Real || right instanceof Real
            ? new Real(reals(operator, real(left), real(right)))
            : integers(operator, integer(left), integer(right));
      } catch (ArithmeticException e) {
        throw new Failure(
            "%d %s %d (expected: a result of 64 bits)"
                .formatted(integer(left), operator.symbol, integer(right)));
      }
    }
    return switch (operator) {
      case ADD -> concatenate(left, right);
      case MULTIPLY -> {
        if (left instanceof Int || left instanceof Bool) {
          yield repeat(right, integer(left), left);
        }
        if (right instanceof Int || right instanceof Bool) {
          yield repeat(left, integer(right), right);
        }
        throw unsupported(operator, left, right);
      }
      case SUBTRACT, DIVIDE, FLOOR_DIVIDE, MODULO, POWER ->
          throw unsupported(operator, left, right);
    };
  }

  Value sign(boolean negative, Value operand) {
    return switch (operand) {
      case Real real -> new Real(negative ? -real.value() : real.value());
      case Int _, Bool _ -> {
        long value = integer(operand);
        if (negative && value == Long.MIN_VALUE) {
          throw new Failure("-" + value + " (expected: a result of 64 bits)");
        }
        yield new Int(negative ? -value : value);
      }
      case Undefined undefined -> throw new Failure(undefined.message());
      default ->
          throw new Failure(
              "bad operand type for unary %s: '%s'"
                  .formatted(negative ? "-" : "+", operand.type()));
    };
  }

  private static Value integers(BinaryOperator operator, long a, long b) {
    return switch (operator) {
      case ADD -> new Int(Math.addExact(a, b));
      case SUBTRACT -> new Int(Math.subtractExact(a, b));
      case MULTIPLY -> new Int(Math.multiplyExact(a, b));
      case DIVIDE -> new Real(reals(operator, (double) a, (double) b));
      case FLOOR_DIVIDE -> {
        requireNonZero((double) b, "integer division or modulo by zero");
        yield new Int(a == Long.MIN_VALUE ? Math.divideExact(a, b) : Math.floorDiv(a, b));
      }
      case MODULO -> {
        requireNonZero((double) b, "integer modulo by zero");
        yield new Int(Math.floorMod(a, b));
      }
      case POWER ->
          b < 0 ? new Real(reals(operator, (double) a, (double) b)) : new Int(power(a, b));
    };
  }

  private static double reals(BinaryOperator operator, double a, double b) {
    return switch (operator) {
      case ADD -> a + b;
      case SUBTRACT -> a - b;
      case MULTIPLY -> a * b;
      case DIVIDE -> {
        requireNonZero(b, "division by zero");
        yield a / b;
      }
      case FLOOR_DIVIDE -> {
        requireNonZero(b, "float floor division by zero");
        yield Math.floor((a - floorModulo(a, b)) / b + 0.5);
      }
      case MODULO -> {
        requireNonZero(b, "float modulo");
        yield floorModulo(a, b);
      }
      case POWER -> {
        if (a == 0 && b < 0) {
          throw new Failure("0.0 cannot be raised to a negative power");
        }
        double power = Math.pow(a, b);
        if (Double.isNaN(power) && !Double.isNaN(a) && !Double.isNaN(b)) {
          throw new Failure(a + " ** " + b + " (expected: a real result)");
        }
        yield power;
      }
    };
  }

  /** Has the sign of the divisor. */
  private static double floorModulo(double a, double b) {
    double remainder = a % b;
    if (remainder == 0) {
      return Math.copySign(0.0, b);
    }
    return (remainder < 0) != (b < 0) ? remainder + b : remainder;
  }

  private static long power(long base, long exponent) {
    if (base == 0 || base == 1 || base == -1) {
      return exponent == 0 ? 1 : base == -1 && exponent % 2 == 0 ? 1 : base;
    }
    long result = 1;
    for (long i = 0; i < exponent; i++) {
      result = Math.multiplyExact(result, base);
    }
    return result;
  }

  private static void requireNonZero(double divisor, String message) {
    if (divisor == 0) {
      throw new Failure(message);
    }
  }

  private Value concatenate(Value left, Value right) {
    return switch (left) {
      case Text a when right instanceof Text b -> {
        budget.charge((long) a.value().length() + b.value().length());
        yield new Text(a.value().concat(b.value()));
      }
      case Items a when right instanceof Items b -> new Items(joined(a.items(), b.items()));
      case Tuple a when right instanceof Tuple b -> new Tuple(joined(a.items(), b.items()));
      case Text _, Items _, Tuple _ ->
          throw new Failure(
              "can only concatenate %s (not \"%s\") to %s"
                  .formatted(left.type(), right.type(), left.type()));
      default -> throw unsupported(BinaryOperator.ADD, left, right);
    };
  }

  private List<Value> joined(List<Value> left, List<Value> right) {
    budget.chargeItems((long) left.size() + right.size());
    List<Value> items = new ArrayList<>(left.size() + right.size());
    items.addAll(left);
    items.addAll(right);
    return items;
  }

  private Value repeat(Value sequence, long times, Value factor) {
    return switch (sequence) {
      case Text text -> new Text(new TextBuilder(budget).repeat(text.value(), times).toString());
      case Items list -> new Items(repeated(list.items(), times));
      case Tuple tuple -> new Tuple(repeated(tuple.items(), times));
      default -> throw unsupported(BinaryOperator.MULTIPLY, sequence, factor);
    };
  }

  private List<Value> repeated(List<Value> items, long times) {
    long count = Math.clamp(times, 0, Budget.MAX_SIZE + 1);
    budget.chargeItems(items.size() * count);
    List<Value> repeated = new ArrayList<>();
    for (long i = 0; i < count && !items.isEmpty(); i++) {
      repeated.addAll(items);
    }
    return repeated;
  }

  private static Failure unsupported(BinaryOperator operator, Value left, Value right) {
    return new Failure(
        "unsupported operand type(s) for %s: '%s' and '%s'"
            .formatted(operator.symbol, left.type(), right.type()));
  }

  /** Of a number. */
  static double real(Value number) {
    return number instanceof Real real ? real.value() : integer(number);
  }

  /** Of an int or bool. */
  static long integer(Value number) {
    return switch (number) {
      case Int integer -> integer.value();
      case Bool bool -> bool.number;
      default -> throw new Failure("'" + number.type() + "' object cannot be an integer");
    };
  }
}
