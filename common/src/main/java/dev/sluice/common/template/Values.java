package dev.sluice.common.template;

import dev.sluice.common.template.Value.Bool;
import dev.sluice.common.template.Value.Function;
import dev.sluice.common.template.Value.Generator;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.Items;
import dev.sluice.common.template.Value.Namespace;
import dev.sluice.common.template.Value.None;
import dev.sluice.common.template.Value.Range;
import dev.sluice.common.template.Value.Real;
import dev.sluice.common.template.Value.Text;
import dev.sluice.common.template.Value.Tuple;
import dev.sluice.common.template.Value.Undefined;
import dev.sluice.common.template.Value.View;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;

/** Truth, size and iteration, as in Python. */
final class Values {
  /** What a new item costs beside its place in a list. */
  private static final int NEW_ITEM = 8;

  private Values() {}

  static boolean isTrue(Value value) {
    return switch (value) {
      case None _, Undefined _ -> false;
      case Bool bool -> bool == Bool.TRUE;
      case Int number -> number.value() != 0;
      case Real real -> real.value() != 0;
      case Text text -> !text.value().isEmpty();
      case Items list -> !list.items().isEmpty();
      case Tuple tuple -> !tuple.items().isEmpty();
      case Dict dict -> dict.size() > 0;
      case Range range -> range.size() > 0;
      case View view -> view.dict().size() > 0;
      case Generator _, Namespace _, Function _, Loop _ -> true;
    };
  }

  /** As {@code len}. */
  static int length(Value value) {
    return switch (value) {
      case Text text -> PythonText.length(text.value());
      case Items list -> list.items().size();
      case Tuple tuple -> tuple.items().size();
      case Dict dict -> dict.size();
      case Range range -> range.size();
      case View view -> view.dict().size();
      case Undefined _ -> 0;
      case Loop loop -> loop.length();
      case None _, Bool _, Int _, Real _, Generator _, Namespace _, Function _ ->
          throw new Failure("object of type '" + value.type() + "' has no len()");
    };
  }

  static boolean isIterable(Value value) {
    return switch (value) {
      case Text _, Items _, Tuple _, Dict _, Range _, View _, Generator _, Undefined _, Loop _ ->
          true;
      case None _, Bool _, Int _, Real _, Namespace _, Function _ -> false;
    };
  }

  /** As {@code iter}. */
  static Iterator<Value> iterate(Value value) {
    return switch (value) {
      case Text text ->
          text.value()
              .codePoints()
              .<Value>mapToObj(c -> new Text(Character.toString(c)))
              .iterator();
      case Items list -> list.items().iterator();
      case Tuple tuple -> tuple.items().iterator();
      case Dict dict -> dict.keys().iterator();
      case Range range -> IntStream.range(0, range.size()).<Value>mapToObj(range::at).iterator();
      case View view -> view(view).iterator();
      case Generator generator -> generator.items();
      case Undefined _ -> List.<Value>of().iterator();
      case Loop _, None _, Bool _, Int _, Real _, Namespace _, Function _ ->
          throw new Failure("'" + value.type() + "' object is not iterable");
    };
  }

  /** As {@code list}. */
  static List<Value> toList(Value value, Budget budget) {
    if (value instanceof Items list) {
      return list.items();
    }
    List<Value> items = new ArrayList<>();
    for (Iterator<Value> iterator = iterate(value); iterator.hasNext(); ) {
      budget.chargeItems(NEW_ITEM);
      items.add(iterator.next());
    }
    return items;
  }

  /** As {@code list(reversed(value))}. */
  static List<Value> reversed(Value value, Budget budget) {
    return switch (value) {
      case Text _, Items _, Tuple _, Dict _, Range _, View _, Undefined _ ->
          toList(value, budget).reversed();
      case None _, Bool _, Int _, Real _, Generator _, Namespace _, Function _, Loop _ ->
          throw new Failure("'" + value.type() + "' object is not reversible");
    };
  }

  private static List<Value> view(View view) {
    return switch (view.kind()) {
      case KEYS -> view.dict().keys();
      case VALUES -> view.dict().values();
      case ITEMS -> view.dict().items();
    };
  }
}
