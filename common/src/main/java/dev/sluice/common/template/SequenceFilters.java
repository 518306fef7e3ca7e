package dev.sluice.common.template;

import dev.sluice.common.template.Arguments.Bound;
import dev.sluice.common.template.Expression.BinaryOperator;
import dev.sluice.common.template.Value.Generator;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.Items;
import dev.sluice.common.template.Value.None;
import dev.sluice.common.template.Value.Text;
import dev.sluice.common.template.Value.Tuple;
import dev.sluice.common.template.Value.Undefined;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** Filters on lists and other values with items. */
final class SequenceFilters {
  private final Budget budget;
  private final Filters filters;
  private final Access access;
  private final Comparing comparing;
  private final Tests tests;

  SequenceFilters(Budget budget, Filters filters) {
    this.budget = budget;
    this.filters = filters;
    this.access = new Access(budget);
    this.comparing = new Comparing(budget);
    this.tests = new Tests(budget);
  }

  Value apply(String name, Value value, Arguments arguments) {
    return switch (name) {
      case "first" -> {
        arguments.bind(name);
        Iterator<Value> items = Values.iterate(value);
        yield items.hasNext() ? items.next() : new Undefined("No first item, sequence was empty.");
      }
      case "last" -> {
        arguments.bind(name);
        List<Value> items = Values.reversed(value, budget);
        yield items.isEmpty()
            ? new Undefined("No last item, sequence was empty.")
            : items.getFirst();
      }
      case "items" -> {
        arguments.bind(name);
        if (value instanceof Undefined) {
          yield Generator.of(List.of());
        }
        if (!(value instanceof Dict dict)) {
          throw new Failure("Can only get item pairs from a mapping.");
        }
        yield Generator.of(dict.items());
      }
      case "join" -> join(value, arguments.bind(name, "d", "attribute"));
      case "reverse" -> {
        arguments.bind(name);
        if (value instanceof Text text) {
          budget.charge(text.value().length());
          yield new Text(new StringBuilder(text.value()).reverse().toString());
        }
        yield Generator.of(Values.toList(value, budget).reversed());
      }
      case "map" -> map(value, arguments);
      case "select", "reject", "selectattr", "rejectattr" -> select(name, value, arguments);
      case "sort" -> {
        Bound bound = arguments.bind(name, "reverse", "case_sensitive", "attribute");
        UnaryOperator<Value> key = sortKey(bound.notNone(2), bound.flag(1, false));
        yield new Items(sorted(Values.toList(value, budget), key, bound.flag(0, false)));
      }
      case "dictsort" -> dictSort(value, arguments);
      case "unique" -> unique(value, arguments.bind(name, "case_sensitive", "attribute"));
      case "min", "max" -> extreme(name, value, arguments);
      case "sum" -> {
        Bound bound = arguments.bind(name, "attribute", "start");
        UnaryOperator<Value> key = attribute(bound.notNone(0));
        Value sum = bound.get(1, new Int(0));
        for (Value item : Values.toList(value, budget)) {
          sum = new Arithmetic(budget).apply(BinaryOperator.ADD, sum, key.apply(item));
        }
        yield sum;
      }
      case "batch" -> batch(value, arguments.bind(name, "linecount", "fill_with"));
      case "slice" -> slice(value, arguments.bind(name, "slices", "fill_with"));
      case "groupby" ->
          groupBy(value, arguments.bind(name, "attribute", "default", "case_sensitive"));
      default -> throw new Failure("No filter named '" + name + "'.");
    };
  }

  private Value join(Value value, Bound bound) {
    UnaryOperator<Value> key = attribute(bound.notNone(1));
    List<Value> parts = new ArrayList<>();
    for (Value item : Values.toList(value, budget)) {
      parts.add(key.apply(item));
    }
    String separator = new Rendering(budget).str(bound.get(0, new Text("")));
    return new Text(new TextMethods(budget).join(separator, parts));
  }

  private Value map(Value value, Arguments arguments) {
    if (!Values.isTrue(value)) {
      return Generator.of(List.of());
    }
    UnaryOperator<Value> function;
    if (arguments.count() == 0 && arguments.named().containsKey("attribute")) {
      Bound bound = new Arguments(List.of(), arguments.named()).bind("map", "attribute", "default");
      UnaryOperator<Value> attribute = attribute(bound.notNone(0));
      function =
          item -> {
            Value found = attribute.apply(item);
            return found instanceof Undefined ? bound.notNone(1).orElse(found) : found;
          };
    } else if (arguments.count() > 0 && arguments.positional().getFirst() instanceof Text filter) {
      Arguments rest = arguments.from(1);
      function = item -> filters.apply(filter.value(), item, rest);
    } else {
      throw new Failure("map requires a filter argument");
    }
    return Generator.from(value, items -> new Mapped(items, function));
  }

  private Value select(String name, Value value, Arguments arguments) {
    if (!Values.isTrue(value)) {
      return Generator.of(List.of());
    }
    boolean byAttribute = name.endsWith("attr");
    boolean wanted = name.startsWith("select");
    if (byAttribute && arguments.count() == 0) {
      throw new Failure("Missing parameter for attribute name");
    }
    UnaryOperator<Value> subject =
        byAttribute
            ? attribute(Optional.of(arguments.positional().getFirst()))
            : UnaryOperator.identity();
    Arguments test = arguments.from(byAttribute ? 1 : 0);
    if (test.count() > 0 && !(test.positional().getFirst() instanceof Text)) {
      throw new Failure(
          "No test named " + new Rendering(budget).repr(test.positional().getFirst()));
    }
    return Generator.from(
        value,
        items ->
            new Selected(
                items,
                item -> {
                  Value tested = subject.apply(item);
                  boolean passes =
                      (test.count() > 0 && test.positional().getFirst() instanceof Text testName)
                          ? tests.test(testName.value(), tested, test.from(1))
                          : Values.isTrue(tested);
                  return passes == wanted;
                },
                budget));
  }

  private Value dictSort(Value value, Arguments arguments) {
    Bound bound = arguments.bind("dictsort", "case_sensitive", "by", "reverse");
    int place =
        switch (bound.text(1, "key")) {
          case "key" -> 0;
          case "value" -> 1;
          default -> throw new Failure("You can only sort by either \"key\" or \"value\"");
        };
    if (!(value instanceof Dict dict)) {
      throw new Failure("'" + value.type() + "' object has no attribute 'items'");
    }
    boolean caseSensitive = bound.flag(0, false);
    UnaryOperator<Value> key =
        item -> {
          Value part = ((Tuple) item).items().get(place);
          return caseSensitive ? part : ignoreCase(part);
        };
    return new Items(sorted(dict.items(), key, bound.flag(2, false)));
  }

  private List<Value> sorted(List<Value> items, UnaryOperator<Value> key, boolean descending) {
    record Keyed(Value key, Value item) {}
    Comparator<Keyed> order = Comparator.comparing(Keyed::key, comparing::order);
    budget.chargeItems(items.size());
    // Python's descending sort keeps the order of equal ones, too.
    try {
      return items.stream()
          .map(item -> new Keyed(key.apply(item), item))
          .sorted(descending ? order.reversed() : order)
          .map(Keyed::item)
          .toList();
    } catch (IllegalArgumentException e) {
      // The sort noticed a contradiction, which only NaN brings about.
      throw new Failure("values that have no order cannot be sorted");
    }
  }

  private Value unique(Value value, Bound bound) {
    UnaryOperator<Value> key = key(bound.notNone(1), bound.flag(0, false));
    Dict seen = new Dict();
    List<Value> items = new ArrayList<>();
    for (Value item : Values.toList(value, budget)) {
      Value itemKey = key.apply(item);
      if (seen.find(itemKey).isEmpty()) {
        seen.put(itemKey, None.NONE);
        items.add(item);
      }
    }
    return Generator.of(items);
  }

  private Value extreme(String name, Value value, Arguments arguments) {
    Bound bound = arguments.bind(name, "case_sensitive", "attribute");
    UnaryOperator<Value> key = key(bound.notNone(1), bound.flag(0, false));
    Optional<Value> best = Optional.empty();
    for (Value item : Values.toList(value, budget)) {
      if (best.isEmpty()) {
        best = Optional.of(item);
        continue;
      }
      int order = comparing.order(key.apply(item), key.apply(best.get()));
      if (name.equals("min") ? order < 0 : order > 0) {
        best = Optional.of(item);
      }
    }
    return best.orElseGet(() -> new Undefined("No aggregated item, sequence was empty."));
  }

  private Value batch(Value value, Bound bound) {
    long size = bound.integer(0);
    List<Value> batches = new ArrayList<>();
    List<Value> batch = new ArrayList<>();
    for (Value item : Values.toList(value, budget)) {
      if (batch.size() == size) {
        batches.add(new Items(batch));
        batch = new ArrayList<>();
      }
      batch.add(item);
    }
    if (!batch.isEmpty()) {
      budget.chargeItems(Math.max(size, 0));
      while (bound.notNone(1).isPresent() && batch.size() < size) {
        batch.add(bound.get(1));
      }
      batches.add(new Items(batch));
    }
    return Generator.of(batches);
  }

  private Value slice(Value value, Bound bound) {
    List<Value> items = Values.toList(value, budget);
    long count = bound.integer(0);
    if (count == 0) {
      throw new Failure("integer division or modulo by zero");
    }
    budget.chargeItems(Math.clamp(count, 0, Budget.MAX_SIZE) * 4L);
    List<Value> slices = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < count; i++) {
      boolean larger = i < items.size() % count;
      int end = start + (int) (items.size() / count) + (larger ? 1 : 0);
      List<Value> slice = new ArrayList<>(items.subList(start, end));
      if (!larger) {
        bound.notNone(1).ifPresent(slice::add);
      }
      slices.add(new Items(slice));
      start = end;
    }
    return Generator.of(slices);
  }

  private Value groupBy(Value value, Bound bound) {
    UnaryOperator<Value> attribute = attribute(Optional.of(bound.get(0)));
    UnaryOperator<Value> withDefault =
        item -> {
          Value found = attribute.apply(item);
          return found instanceof Undefined ? bound.notNone(1).orElse(found) : found;
        };
    boolean caseSensitive = bound.flag(2, false);
    UnaryOperator<Value> key =
        item -> caseSensitive ? withDefault.apply(item) : ignoreCase(withDefault.apply(item));
    List<Value> groups = new ArrayList<>();
    List<Value> group = new ArrayList<>();
    for (Value item : sorted(Values.toList(value, budget), key, false)) {
      if (!group.isEmpty() && !comparing.equal(key.apply(group.getFirst()), key.apply(item))) {
        groups.add(groupOf(withDefault, group));
        group = new ArrayList<>();
      }
      group.add(item);
    }
    if (!group.isEmpty()) {
      groups.add(groupOf(withDefault, group));
    }
    return new Items(groups);
  }

  private static Value groupOf(UnaryOperator<Value> key, List<Value> items) {
    return new Tuple(List.of(key.apply(items.getFirst()), new Items(items)));
  }

  private UnaryOperator<Value> key(Optional<Value> attribute, boolean caseSensitive) {
    UnaryOperator<Value> key = attribute(attribute);
    return caseSensitive ? key : item -> ignoreCase(key.apply(item));
  }

  /** The {@link #key}s of attributes with commas between them. */
  private UnaryOperator<Value> sortKey(Optional<Value> attributes, boolean caseSensitive) {
    List<UnaryOperator<Value>> keys = new ArrayList<>();
    if (attributes.isPresent() && attributes.get() instanceof Text names) {
      for (String name : PythonText.split(names.value(), ",", -1)) {
        keys.add(key(Optional.of(new Text(name)), caseSensitive));
      }
    } else {
      keys.add(key(attributes, caseSensitive));
    }
    return item -> new Tuple(keys.stream().map(key -> key.apply(item)).toList());
  }

  private static Value ignoreCase(Value value) {
    return value instanceof Text text ? new Text(Casing.lower(text.value())) : value;
  }

  /** Gets what a dotted name, or a number, stands for in an item. */
  private UnaryOperator<Value> attribute(Optional<Value> name) {
    if (name.isEmpty()) {
      return UnaryOperator.identity();
    }
    List<Value> path = new ArrayList<>();
    if (name.get() instanceof Text text) {
      for (String part : PythonText.split(text.value(), ".", -1)) {
        boolean number =
            !part.isEmpty() && part.length() < 10 && part.chars().allMatch(Character::isDigit);
        path.add(number ? new Int(Integer.parseInt(part)) : new Text(part));
      }
    } else {
      path.add(name.get());
    }
    return item -> {
      Value found = item;
      for (Value part : path) {
        found = access.item(found, part);
      }
      return found;
    };
  }

  private record Mapped(Iterator<Value> items, UnaryOperator<Value> function)
      implements Iterator<Value> {
    @Override
    public boolean hasNext() {
      return items.hasNext();
    }

    @Override
    public Value next() {
      return function.apply(items.next());
    }
  }
}
