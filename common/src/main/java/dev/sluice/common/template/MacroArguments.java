package dev.sluice.common.template;

import dev.sluice.common.template.Statement.Macro;
import dev.sluice.common.template.Statement.Parameter;
import dev.sluice.common.template.Value.Text;
import dev.sluice.common.template.Value.Tuple;
import dev.sluice.common.template.Value.Undefined;
import java.util.LinkedHashMap;
import java.util.Map;

/** Gives a macro's parameters their values for a call. */
final class MacroArguments {
  private MacroArguments() {}

  static void bind(Macro macro, Arguments arguments, Scope scope, Evaluator evaluator) {
    Map<String, Value> named = new LinkedHashMap<>(arguments.named());
    int place = 0;
    for (Parameter parameter : macro.parameters()) {
      String name = parameter.name();
      if (place < arguments.count()) {
        scope.set(name, arguments.positional().get(place));
      } else if (named.containsKey(name)) {
        scope.set(name, named.remove(name));
      } else if (parameter.standard().isPresent()) {
        // May refer to the parameters before it.
        scope.set(name, evaluator.evaluate(parameter.standard().get(), scope));
      } else {
        scope.set(name, new Undefined("parameter '" + name + "' was not provided"));
      }
      place++;
    }
    if (macro.implicit().contains("caller")) {
      Value caller = named.remove("caller");
      scope.set("caller", caller == null ? new Undefined("No caller defined") : caller);
    }
    if (macro.implicit().contains("kwargs")) {
      Dict rest = new Dict();
      named.forEach((name, value) -> rest.put(new Text(name), value));
      scope.set("kwargs", rest);
    } else if (!named.isEmpty()) {
      throw new Failure(
          "macro '%s' takes no keyword argument '%s'"
              .formatted(macro.name(), named.keySet().iterator().next()));
    }
    if (macro.implicit().contains("varargs")) {
      scope.set("varargs", new Tuple(arguments.from(macro.parameters().size()).positional()));
    } else if (arguments.count() > macro.parameters().size()) {
      throw new Failure(
          "macro '%s' takes not more than %d argument(s)"
              .formatted(macro.name(), macro.parameters().size()));
    }
  }
}
