package dev.sluice.common.template;

import dev.sluice.common.template.Expression.ComparisonOperator;
import dev.sluice.common.template.Value.Bool;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.Items;
import dev.sluice.common.template.Value.Range;
import dev.sluice.common.template.Value.Real;
import dev.sluice.common.template.Value.Text;
import dev.sluice.common.template.Value.Tuple;
import dev.sluice.common.template.Value.Undefined;
import java.util.Iterator;
import java.util.List;

/** Equality, order and membership, as in Python. */
final class Comparing {
  /** Result of {@link #order} for a NaN: no comparison is true. */
  private static final int UNORDERED = 2;

  private final Budget budget;

  Comparing(Budget budget) {
    this.budget = budget;
  }

  boolean test(ComparisonOperator operator, Value left, Value right) {
    return switch (operator) {
      case EQUAL -> equal(left, right);
      case NOT_EQUAL -> !equal(left, right);
      case IN -> contains(right, left);
      case NOT_IN -> !contains(right, left);
      case LESS -> order(left, right, operator) < 0;
      case LESS_OR_EQUAL -> order(left, right, operator) <= 0;
      case GREATER -> {
        int order = order(left, right, operator);
        yield order > 0 && order != UNORDERED;
      }
      case GREATER_OR_EQUAL -> {
        int order = order(left, right, operator);
        yield order >= 0 && order != UNORDERED;
      }
    };
  }

  /** As {@code ==} among items: what is the same is equal, even a NaN. */
  @SuppressWarnings("ReferenceEquality")
  boolean equal(Value left, Value right) {
    budget.enter();
    boolean equal = left == right || equalContents(left, right);
    budget.leave();
    return equal;
  }

  private boolean equalContents(Value left, Value right) {
    if (isNumber(left) && isNumber(right)) {
      return compareNumbers(left, right) == 0;
    }
    return switch (left) {
      case Text text -> right instanceof Text other && text.value().equals(other.value());
      case Items list -> right instanceof Items other && equal(list.items(), other.items());
      case Tuple tuple -> right instanceof Tuple other && equal(tuple.items(), other.items());
      case Dict dict -> right instanceof Dict other && equal(dict, other);
      case Range range ->
          right instanceof Range other
              && equal(Values.toList(range, budget), Values.toList(other, budget));
      case Undefined _ -> right instanceof Undefined;
      case Value.None _,
          Bool _,
          Int _,
          Real _,
          Value.View _,
          Value.Generator _,
          Value.Namespace _,
          Value.Function _,
          Loop _ ->
          false;
    };
  }

  private boolean equal(List<Value> left, List<Value> right) {
    if (left.size() != right.size()) {
      return false;
    }
    Iterator<Value> others = right.iterator();
    for (Value item : left) {
      if (!equal(item, others.next())) {
        return false;
      }
    }
    return true;
  }

  private boolean equal(Dict left, Dict right) {
    if (left.size() != right.size()) {
      return false;
    }
    for (Dict.Entry entry : left.entries()) {
      if (right.find(entry.key()).filter(other -> equal(entry.value(), other)).isEmpty()) {
        return false;
      }
    }
    return true;
  }

  /** As {@code value in container}. */
  boolean contains(Value container, Value value) {
    return switch (container) {
      case Text text -> {
        if (!(value instanceof Text part)) {
          throw new Failure("'in <string>' requires string as left operand, not " + value.type());
        }
        budget.charge(text.value().length());
        yield text.value().contains(part.value());
      }
      case Dict dict -> {
        if (value instanceof Items || value instanceof Dict) {
          throw new Failure("unhashable type: '" + value.type() + "'");
        }
        yield dict.find(value).isPresent();
      }
      case Loop _ -> throw notIterable(container);
      default -> {
        if (!Values.isIterable(container)) {
          throw notIterable(container);
        }
        boolean found = false;
        for (Iterator<Value> items = Values.iterate(container); items.hasNext() && !found; ) {
          found = equal(items.next(), value);
        }
        yield found;
      }
    };
  }

  private static Failure notIterable(Value container) {
    return new Failure("argument of type '" + container.type() + "' is not iterable");
  }

  /** Negative, 0 or positive; fails if the two have no order. For sorting. */
  int order(Value left, Value right) {
    int order = order(left, right, ComparisonOperator.LESS);
    return order == UNORDERED ? 0 : order;
  }

  private int order(Value left, Value right, ComparisonOperator operator) {
    budget.enter();
    int order;
    if (isNumber(left) && isNumber(right)) {
      order = compareNumbers(left, right);
    } else if (left instanceof Text a && right instanceof Text b) {
      order = Integer.signum(PythonText.compare(a.value(), b.value()));
    } else if (left instanceof Items a && right instanceof Items b) {
      order = order(a.items(), b.items(), operator);
    } else if (left instanceof Tuple a && right instanceof Tuple b) {
      order = order(a.items(), b.items(), operator);
    } else {
      for (Value side : List.of(left, right)) {
        if (side instanceof Undefined undefined) {
          throw new Failure(undefined.message());
        }
      }
      throw new Failure(
          "'%s' not supported between instances of '%s' and '%s'"
              .formatted(operator.symbol, left.type(), right.type()));
    }
    budget.leave();
    return order;
  }

  private int order(List<Value> left, List<Value> right, ComparisonOperator operator) {
    for (int i = 0; i < Math.min(left.size(), right.size()); i++) {
      if (!equal(left.get(i), right.get(i))) {
        return order(left.get(i), right.get(i), operator);
      }
    }
    return Integer.compare(left.size(), right.size());
  }

  static boolean isNumber(Value value) {
    return value instanceof Int || value instanceof Bool || value instanceof Real;
  }

  private static int compareNumbers(Value left, Value right) {
    if (left instanceof Real || right instanceof Real) {
      double a = Arithmetic.real(left);
      double b = Arithmetic.real(right);
      return a < b ? -1 : a > b ? 1 : a == b ? 0 : UNORDERED;
    }
    return Long.compare(Arithmetic.integer(left), Arithmetic.integer(right));
  }
}
