package dev.sluice.common.template;

import dev.sluice.common.template.Expression.FilterCall;
import dev.sluice.common.template.Statement.Binding;
import dev.sluice.common.template.Statement.Branch;
import dev.sluice.common.template.Statement.Target;
import dev.sluice.common.template.Value.Code;
import dev.sluice.common.template.Value.Function;
import dev.sluice.common.template.Value.Namespace;
import dev.sluice.common.template.Value.Text;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * Runs statements.
 *
 * <p>Threading: belongs to one rendering.
 */
final class Interpreter {
  /** Where to go on after a statement. */
  private enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  private final Budget budget;
  private final Evaluator evaluator;
  private final Rendering rendering;
  private TextBuilder output;

  Interpreter(Budget budget, Evaluator evaluator) {
    this.budget = budget;
    this.evaluator = evaluator;
    this.rendering = new Rendering(budget);
    this.output = new TextBuilder(budget);
  }

  /** The text that the statements write. */
  String capture(List<Statement> body, Scope scope) {
    TextBuilder outer = output;
    output = new TextBuilder(budget);
    run(body, scope);
    String text = output.toString();
    output = outer;
    return text;
  }

  private Flow run(List<Statement> body, Scope scope) {
    budget.enter();
    Flow flow = Flow.NEXT;
    for (Statement statement : body) {
      flow = run(statement, scope);
      if (flow != Flow.NEXT) {
        break;
      }
    }
    budget.leave();
    return flow;
  }

  private Flow run(Statement statement, Scope scope) {
    budget.step();
    return switch (statement) {
      case Statement.Data data -> {
        output.append(data.text());
        yield Flow.NEXT;
      }
      case Statement.Print print -> {
        evaluator.at(print.line());
        output.append(rendering.str(evaluator.evaluate(print.value(), scope)));
        yield Flow.NEXT;
      }
      case Statement.If choice -> choose(choice, scope);
      case Statement.For loop -> {
        evaluator.at(loop.line());
        loop(loop, evaluator.evaluate(loop.items(), scope), 1, scope);
        yield Flow.NEXT;
      }
      case Statement.Assign assign -> {
        evaluator.at(assign.line());
        assign(assign.target(), evaluator.evaluate(assign.value(), scope), scope);
        yield Flow.NEXT;
      }
      case Statement.AssignBlock block -> {
        evaluator.at(block.line());
        Value text = new Text(capture(block.body(), scope.inner()));
        assign(block.target(), filter(block.filters(), text, scope), scope);
        yield Flow.NEXT;
      }
      case Statement.DefineMacro define -> {
        scope.set(define.macro().name(), function(define.macro(), scope));
        yield Flow.NEXT;
      }
      case Statement.CallBlock block -> {
        Optional<Value> caller = Optional.of(function(block.caller(), scope));
        output.append(rendering.str(evaluator.call(block.call(), scope, caller)));
        yield Flow.NEXT;
      }
      case Statement.FilterBlock block -> {
        Value text = new Text(capture(block.body(), scope.inner()));
        evaluator.at(block.line());
        output.append(rendering.str(filter(block.filters(), text, scope)));
        yield Flow.NEXT;
      }
      case Statement.With with -> {
        evaluator.at(with.line());
        Scope inner = scope.inner();
        for (Binding binding : with.bindings()) {
          assign(binding.target(), evaluator.evaluate(binding.value(), scope), inner);
        }
        yield run(with.body(), inner);
      }
      case Statement.Scoped scoped -> run(scoped.body(), scope.inner());
      case Statement.Break _ -> Flow.BREAK;
      case Statement.Continue _ -> Flow.CONTINUE;
    };
  }

  private Flow choose(Statement.If choice, Scope scope) {
    for (Branch branch : choice.branches()) {
      evaluator.at(branch.line());
      if (evaluator.isTrue(branch.test(), scope)) {
        return run(branch.body(), scope);
      }
    }
    return run(choice.otherwise(), scope);
  }

  private void loop(Statement.For statement, Value source, int depth, Scope scope) {
    Iterator<Value> items = Values.iterate(source);
    if (statement.test().isPresent()) {
      Expression test = statement.test().get();
      items =
          new Selected(
              items,
              item -> {
                Scope inner = scope.inner();
                assign(statement.target(), item, inner);
                return evaluator.isTrue(test, inner);
              },
              budget);
    }
    Optional<Code> recursion =
        statement.recursive()
            ? Optional.of(arguments -> recurse(statement, arguments, depth, scope))
            : Optional.empty();
    Loop loop = new Loop(items, depth, recursion, budget);
    Optional<Value> item = loop.advance();
    if (item.isEmpty()) {
      run(statement.otherwise(), scope.inner());
    }
    Flow flow = Flow.NEXT;
    while (item.isPresent() && flow != Flow.BREAK) {
      Scope inner = scope.inner();
      inner.set("loop", loop);
      assign(statement.target(), item.get(), inner);
      flow = run(statement.body(), inner);
      item = flow == Flow.BREAK ? Optional.empty() : loop.advance();
    }
  }

  private Value recurse(Statement.For statement, Arguments arguments, int depth, Scope scope) {
    Value source = arguments.bind("loop", "iterable").get(0);
    TextBuilder outer = output;
    output = new TextBuilder(budget);
    budget.enterCall();
    loop(statement, source, depth + 1, scope);
    budget.leaveCall();
    Value text = new Text(output.toString());
    output = outer;
    return text;
  }

  private Value filter(List<FilterCall> filters, Value value, Scope scope) {
    Value filtered = value;
    for (FilterCall filter : filters) {
      filtered = evaluator.filter(filter, filtered, scope);
    }
    return filtered;
  }

  private void assign(Target target, Value value, Scope scope) {
    switch (target) {
      case Target.Variable variable -> scope.set(variable.name(), value);
      case Target.Member member -> {
        if (!(scope.get(member.namespace()) instanceof Namespace namespace)) {
          throw new Failure("cannot assign attribute on non-namespace object");
        }
        namespace.members().put(member.name(), value);
      }
      case Target.Several several -> {
        List<Value> values = new ArrayList<>(Values.toList(value, budget));
        if (values.size() != several.targets().size()) {
          throw new Failure(
              "%d values to unpack (expected: %d)"
                  .formatted(values.size(), several.targets().size()));
        }
        for (int i = 0; i < values.size(); i++) {
          assign(several.targets().get(i), values.get(i), scope);
        }
      }
    }
  }

  private Value function(Statement.Macro macro, Scope scope) {
    return new Function(
        macro.name(),
        arguments -> {
          Scope inner = scope.inner();
          MacroArguments.bind(macro, arguments, inner, evaluator);
          budget.enterCall();
          String text = capture(macro.body(), inner);
          budget.leaveCall();
          return new Text(text);
        });
  }
}
