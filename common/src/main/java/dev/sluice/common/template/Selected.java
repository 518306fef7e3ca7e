package dev.sluice.common.template;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The items that pass a test, looked for when they are asked for.
 *
 * <p>Threading: belongs to one rendering.
 */
final class Selected implements Iterator<Value> {
  private final Iterator<Value> items;
  private final Predicate<Value> test;
  private final Budget budget;
  private Optional<Value> next = Optional.empty();

  Selected(Iterator<Value> items, Predicate<Value> test, Budget budget) {
    this.items = items;
    this.test = test;
    this.budget = budget;
  }

  @Override
  public boolean hasNext() {
    while (next.isEmpty() && items.hasNext()) {
      budget.step();
      next = Optional.of(items.next()).filter(test);
    }
    return next.isPresent();
  }

  @Override
  public Value next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    Value found = next.orElseThrow();
    next = Optional.empty();
    return found;
  }
}
