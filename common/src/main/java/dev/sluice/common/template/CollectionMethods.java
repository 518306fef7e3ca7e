package dev.sluice.common.template;

import dev.sluice.common.template.Arguments.Bound;
import dev.sluice.common.template.Value.Code;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.Items;
import dev.sluice.common.template.Value.None;
import dev.sluice.common.template.Value.View;
import java.util.List;
import java.util.Optional;

/** Methods of Python's {@code list}, {@code tuple} and {@code dict} that change nothing. */
final class CollectionMethods {
  private final Comparing comparing;

  CollectionMethods(Budget budget) {
    this.comparing = new Comparing(budget);
  }

  /** Empty if dicts have no such method. */
  static Optional<Code> find(Dict self, String name) {
    return switch (name) {
      case "items" -> view(self, name, View.Kind.ITEMS);
      case "keys" -> view(self, name, View.Kind.KEYS);
      case "values" -> view(self, name, View.Kind.VALUES);
      case "get" ->
          Optional.of(arguments -> {
            Bound bound = arguments.bind(name, "key", "default");
            return self.find(bound.get(0)).orElseGet(() -> bound.get(1, None.NONE));
          });
      case "copy" ->
          Optional.of(arguments -> {
            arguments.bind(name);
            return self;
          });
      default -> Optional.empty();
    };
  }

  private static Optional<Code> view(Dict self, String name, View.Kind kind) {
    return Optional.of(arguments -> {
      arguments.bind(name);
      return new View(kind, self);
    });
  }

  /** Empty if lists and tuples have no such method. */
  Optional<Code> find(List<Value> self, String name) {
    return switch (name) {
      case "count" ->
          Optional.of(arguments -> {
            Value wanted = arguments.bind(name, "value").get(0);
            return new Int(self.stream().filter(item -> comparing.equal(item, wanted)).count());
          });
      case "index" ->
          Optional.of(arguments -> {
            Value wanted = arguments.bind(name, "value").get(0);
            for (int i = 0; i < self.size(); i++) {
              if (comparing.equal(self.get(i), wanted)) {
                return new Int(i);
              }
            }
            throw new Failure("the value is not in the list");
          });
      case "copy" ->
          Optional.of(arguments -> {
            arguments.bind(name);
            return new Items(self);
          });
      default -> Optional.empty();
    };
  }
}
