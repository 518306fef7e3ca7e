package dev.sluice.common.template;

import dev.sluice.common.template.Value.Bool;
import dev.sluice.common.template.Value.Code;
import dev.sluice.common.template.Value.Function;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.Items;
import dev.sluice.common.template.Value.Namespace;
import dev.sluice.common.template.Value.None;
import dev.sluice.common.template.Value.Range;
import dev.sluice.common.template.Value.Text;
import dev.sluice.common.template.Value.Tuple;
import dev.sluice.common.template.Value.Undefined;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Attributes, items and slices of values, with the limits of jinja2's immutable sandbox. */
final class Access {
  private static final Set<String> LIST_MUTATORS =
      Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");
  private static final Set<String> DICT_MUTATORS =
      Set.of("clear", "pop", "popitem", "setdefault", "update");

  private final Budget budget;

  Access(Budget budget) {
    this.budget = budget;
  }

  /** {@code target.name}: methods hide items of the same name. */
  Value attribute(Value target, String name) {
    return member(target, name)
        .or(() -> target instanceof Dict dict ? dict.find(name) : Optional.empty())
        .orElseGet(() -> missing(target, name));
  }

  /** {@code target[index]}. */
  Value item(Value target, Value index) {
    return element(target, index)
        .or(() -> index instanceof Text name ? member(target, name.value()) : Optional.empty())
        .orElseGet(() -> {
          if (index instanceof Text name) {
            return missing(target, name.value());
          }
          return new Undefined(
              describe(target) + " has no element " + new Rendering(budget).repr(index));
        });
  }

  private static Undefined missing(Value target, String name) {
    return new Undefined("'" + describe(target) + "' has no attribute '" + name + "'");
  }

  private static String describe(Value target) {
    return target == None.NONE ? "None" : target.type() + " object";
  }

  private static Optional<Value> element(Value target, Value index) {
    if (target instanceof Undefined undefined) {
      throw new Failure(undefined.message());
    }
    if (target instanceof Dict dict) {
      return dict.find(index);
    }
    if (!(index instanceof Int) && !(index instanceof Bool)) {
      return Optional.empty();
    }
    long at = Arithmetic.integer(index);
    return switch (target) {
      case Text text -> {
        long size = PythonText.length(text.value());
        long place = at < 0 ? at + size : at;
        yield place < 0 || place >= size
            ? Optional.empty()
            : Optional.of(
                new Text(PythonText.substring(text.value(), (int) place, (int) place + 1)));
      }
      case Items list -> at(list.items(), at);
      case Tuple tuple -> at(tuple.items(), at);
      case Range range -> {
        long place = at < 0 ? at + range.size() : at;
        yield place < 0 || place >= range.size()
            ? Optional.empty()
            : Optional.of(range.at((int) place));
      }
      default -> Optional.empty();
    };
  }

  private static Optional<Value> at(List<Value> items, long index) {
    long place = index < 0 ? index + items.size() : index;
    return place < 0 || place >= items.size()
        ? Optional.empty()
        : Optional.of(items.get((int) place));
  }

  /** A method or other attribute in Python's sense. */
  private Optional<Value> member(Value target, String name) {
    if (target instanceof Undefined undefined) {
      throw new Failure(undefined.message());
    }
    boolean unsafe =
        (name.startsWith("__") && name.endsWith("__"))
            || (target instanceof Items && LIST_MUTATORS.contains(name))
            || (target instanceof Dict && DICT_MUTATORS.contains(name));
    if (unsafe && !(target instanceof Namespace)) {
      return Optional.of(
          new Undefined(
              "access to attribute '%s' of '%s' object is unsafe.".formatted(name, target.type())));
    }
    return switch (target) {
      case Namespace namespace -> Optional.ofNullable(namespace.members().get(name));
      case Loop loop -> loop.member(name);
      case Text text -> function(name, new TextMethods(budget).find(text.value(), name));
      case Dict dict -> function(name, CollectionMethods.find(dict, name));
      case Items list -> function(name, new CollectionMethods(budget).find(list.items(), name));
      case Tuple tuple -> function(name, new CollectionMethods(budget).find(tuple.items(), name));
      case Function function when name.equals("name") -> Optional.of(new Text(function.name()));
      default -> Optional.empty();
    };
  }

  private static Optional<Value> function(String name, Optional<Code> code) {
    return code.map(found -> new Function(name, found));
  }

  /** {@code target[start:stop:step]}. */
  Value slice(Value target, Value start, Value stop, Value step) {
    return switch (target) {
      case Text text -> {
        int[] characters = text.value().codePoints().toArray();
        TextBuilder sliced = new TextBuilder(budget);
        for (int place : places(characters.length, start, stop, step)) {
          sliced.appendCodePoint(characters[place]);
        }
        yield new Text(sliced.toString());
      }
      case Items list -> new Items(slice(list.items(), start, stop, step));
      case Tuple tuple -> new Tuple(slice(tuple.items(), start, stop, step));
      case Range range -> {
        List<Value> items = new ArrayList<>();
        for (int place : places(range.size(), start, stop, step)) {
          items.add(range.at(place));
        }
        yield new Items(items);
      }
      case Undefined undefined -> throw new Failure(undefined.message());
      default -> throw new Failure("'" + target.type() + "' object is not subscriptable");
    };
  }

  private List<Value> slice(List<Value> items, Value start, Value stop, Value step) {
    List<Value> sliced = new ArrayList<>();
    for (int place : places(items.size(), start, stop, step)) {
      sliced.add(items.get(place));
    }
    return sliced;
  }

  /** The places that a slice takes, by the rules of Python's {@code slice.indices}. */
  private int[] places(int size, Value start, Value stop, Value step) {
    budget.chargeItems(size / 8);
    long stride = bound(step, 1);
    if (stride == 0) {
      throw new Failure("slice step cannot be zero");
    }
    boolean forward = stride > 0;
    long least = forward ? 0 : -1;
    long most = forward ? size : size - 1L;
    long from = clip(bound(start, forward ? 0 : Long.MAX_VALUE), size, least, most);
    long to = stop == None.NONE ? (forward ? size : -1) : clip(bound(stop, 0), size, least, most);
    long count = forward ? (to - from - 1) / stride + 1 : (from - to - 1) / -stride + 1;
    if (forward ? from >= to : from <= to) {
      count = 0;
    }
    budget.chargeItems(count / 2);
    int[] places = new int[(int) count];
    for (int i = 0; i < places.length; i++) {
      places[i] = (int) (from + i * stride);
    }
    return places;
  }

  private static long clip(long bound, int size, long least, long most) {
    return Math.clamp(bound < 0 ? bound + size : bound, least, most);
  }

  private static long bound(Value value, long standard) {
    return switch (value) {
      case None _ -> standard;
      case Int number -> Math.clamp(number.value(), -Long.MAX_VALUE / 2, Long.MAX_VALUE / 2);
      case Bool bool -> bool.number;
      case Undefined undefined -> throw new Failure(undefined.message());
      default -> throw new Failure("slice indices must be integers or None, not " + value.type());
    };
  }
}
