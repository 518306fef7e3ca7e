package dev.sluice.common.template;

import dev.sluice.common.template.Arguments.Bound;
import dev.sluice.common.template.Value.Code;
import dev.sluice.common.template.Value.Function;
import dev.sluice.common.template.Value.Namespace;
import dev.sluice.common.template.Value.Range;
import dev.sluice.common.template.Value.Text;
import java.time.Clock;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** The functions that every template can call. */
final class Functions {
  private static final int MAX_RANGE = 100_000;
  private static final long MAX_BOUND = Long.MAX_VALUE / 4;

  private final Budget budget;
  private final Clock clock;

  Functions(Budget budget, Clock clock) {
    this.budget = budget;
    this.clock = clock;
  }

  void defineIn(Scope scope) {
    define(scope, "range", this::range);
    define(scope, "dict", this::dict);
    define(scope, "namespace", this::namespace);
    define(scope, "joiner", Functions::joiner);
    define(scope, "raise_exception", this::raise);
    define(scope, "strftime_now", this::now);
  }

  private static void define(Scope scope, String name, Code code) {
    scope.set(name, new Function(name, code));
  }

  private Value range(Arguments arguments) {
    Bound bound =
        arguments.count() == 1
            ? arguments.bind("range", "stop")
            : arguments.bind("range", "start", "stop", "step");
    boolean single = arguments.count() == 1;
    long start = single ? 0 : bound.integer(0);
    long stop = bound.integer(single ? 0 : 1);
    long step = single ? 1 : bound.integer(2, 1);
    if (step == 0) {
      throw new Failure("range() arg 3 must not be zero");
    }
    long span = step > 0 ? stop - start : start - stop;
    boolean far = Math.max(Math.abs(start), Math.abs(stop)) > MAX_BOUND;
    if (far || Math.abs(step) > MAX_BOUND || (span - 1) / Math.abs(step) >= MAX_RANGE) {
      throw new Failure(
          "Range too big. The sandbox blocks ranges larger than MAX_RANGE (" + MAX_RANGE + ").");
    }
    return new Range(start, stop, step);
  }

  private Value dict(Arguments arguments) {
    Dict dict = new Dict();
    if (arguments.count() > 1) {
      throw new Failure("dict expected at most 1 argument, got " + arguments.count());
    }
    for (Value source : arguments.positional()) {
      if (source instanceof Dict other) {
        dict.putAll(other);
        continue;
      }
      for (Value item : Values.toList(source, budget)) {
        List<Value> pair = Values.toList(item, budget);
        if (pair.size() != 2) {
          throw new Failure("dict: " + pair.size() + " values (expected: pairs)");
        }
        dict.put(pair.get(0), pair.get(1));
      }
    }
    arguments.named().forEach((name, value) -> dict.put(new Text(name), value));
    return dict;
  }

  private Value namespace(Arguments arguments) {
    Namespace namespace = new Namespace();
    Rendering rendering = new Rendering(budget);
    for (Dict.Entry entry : ((Dict) dict(arguments)).entries()) {
      namespace.members().put(rendering.str(entry.key()), entry.value());
    }
    return namespace;
  }

  /** Gives nothing at the first call, then a separator. */
  private static Value joiner(Arguments arguments) {
    Text separator = new Text(arguments.bind("joiner", "sep").text(0, ", "));
    AtomicBoolean used = new AtomicBoolean();
    return new Function("joiner", _ -> used.getAndSet(true) ? separator : new Text(""));
  }

  private Value raise(Arguments arguments) {
    Value message = arguments.bind("raise_exception", "message").get(0);
    throw new Failure(new Rendering(budget).str(message));
  }

  private Value now(Arguments arguments) {
    String format = arguments.bind("strftime_now", "format").text(0);
    budget.charge(format.length() * 32L);
    return new Text(TimeFormat.format(format, ZonedDateTime.now(clock)));
  }
}
