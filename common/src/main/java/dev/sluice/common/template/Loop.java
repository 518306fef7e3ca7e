package dev.sluice.common.template;

import dev.sluice.common.template.Value.Bool;
import dev.sluice.common.template.Value.Code;
import dev.sluice.common.template.Value.Function;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.Undefined;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * A running loop: the variable {@code loop}. Items are taken one ahead only where the template asks
 * for what follows, as in jinja2, since a loop's condition may depend on what its body did.
 *
 * <p>Threading: belongs to one rendering.
 */
final class Loop implements Value {
  private static final int UNKNOWN = -1;

  private final Budget budget;
  private final int depth;

  /** Renders the body for other items; empty unless the loop is recursive. */
  private final Optional<Code> recursion;

  private Iterator<Value> items;
  private Optional<Value> previous = Optional.empty();
  private Optional<Value> current = Optional.empty();
  private Optional<Value> following = Optional.empty();
  private List<Value> changed = List.of();
  private boolean everChanged;
  private int index;
  private int length = UNKNOWN;

  Loop(Iterator<Value> items, int depth, Optional<Code> recursion, Budget budget) {
    this.items = items;
    this.depth = depth;
    this.recursion = recursion;
    this.budget = budget;
  }

  /** The next item, or empty at the end. */
  Optional<Value> advance() {
    Optional<Value> next = peek();
    following = Optional.empty();
    if (next.isPresent()) {
      previous = current;
      current = next;
      index++;
    }
    return next;
  }

  private Optional<Value> peek() {
    if (following.isEmpty() && items.hasNext()) {
      following = Optional.of(items.next());
    }
    return following;
  }

  /** From 1. */
  int index() {
    return index;
  }

  int length() {
    if (length == UNKNOWN) {
      List<Value> rest = new ArrayList<>();
      while (items.hasNext()) {
        budget.step();
        rest.add(items.next());
      }
      items = rest.iterator();
      length = index + (following.isPresent() ? 1 : 0) + rest.size();
    }
    return length;
  }

  Optional<Value> member(String name) {
    return switch (name) {
      case "index" -> Optional.of(new Int(index));
      case "index0" -> Optional.of(new Int(index - 1));
      case "revindex" -> Optional.of(new Int(length() - index + 1));
      case "revindex0" -> Optional.of(new Int(length() - index));
      case "first" -> Optional.of(Bool.of(index == 1));
      case "last" -> Optional.of(Bool.of(peek().isEmpty()));
      case "length" -> Optional.of(new Int(length()));
      case "depth" -> Optional.of(new Int(depth));
      case "depth0" -> Optional.of(new Int(depth - 1));
      case "previtem" ->
          Optional.of(previous.orElseGet(() -> new Undefined("there is no previous item")));
      case "nextitem" ->
          Optional.of(peek().orElseGet(() -> new Undefined("there is no next item")));
      case "cycle" -> Optional.of(new Function(name, this::cycle));
      case "changed" -> Optional.of(new Function(name, this::changed));
      default -> Optional.empty();
    };
  }

  /** As {@code loop(items)}. */
  Value recurse(Arguments arguments) {
    return recursion
        .orElseThrow(() ->
            new Failure("The loop must have the 'recursive' marker to be called recursively."))
        .call(arguments);
  }

  private Value cycle(Arguments arguments) {
    if (arguments.count() == 0) {
      throw new Failure("no items for cycling given");
    }
    return arguments.positional().get((index - 1) % arguments.count());
  }

  private Value changed(Arguments arguments) {
    boolean same =
        everChanged
            && new Comparing(budget).equal(new Tuple(changed), new Tuple(arguments.positional()));
    everChanged = true;
    changed = arguments.positional();
    return Bool.of(!same);
  }
}
