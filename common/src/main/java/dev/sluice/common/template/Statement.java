package dev.sluice.common.template;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A node that does something. */
sealed interface Statement {
  /** Template text, as it is. */
  record Data(String text) implements Statement {}

  record Print(Expression value, int line) implements Statement {}

  record If(List<Branch> branches, List<Statement> otherwise) implements Statement {}

  record Branch(Expression test, List<Statement> body, int line) {}

  /**
   * {@code for target in items if test}.
   *
   * @param recursive whether the body may call {@code loop(items)}
   */
  record For(
      Target target,
      Expression items,
      Optional<Expression> test,
      boolean recursive,
      List<Statement> body,
      List<Statement> otherwise,
      int line)
      implements Statement {}

  record Assign(Target target, Expression value, int line) implements Statement {}

  /** {@code set target | filters} with a body. */
  record AssignBlock(
      Target target, List<Expression.FilterCall> filters, List<Statement> body, int line)
      implements Statement {}

  record DefineMacro(Macro macro) implements Statement {}

  /** {@code call(parameters) call}: its body is the macro {@code caller} of what is called. */
  record CallBlock(Macro caller, Expression.Call call) implements Statement {}

  record FilterBlock(List<Expression.FilterCall> filters, List<Statement> body, int line)
      implements Statement {}

  record With(List<Binding> bindings, List<Statement> body, int line) implements Statement {}

  record Binding(Target target, Expression value) {}

  /** A body with variables of its own: what the {@code generation} tag comes to. */
  record Scoped(List<Statement> body) implements Statement {}

  record Break() implements Statement {}

  record Continue() implements Statement {}

  /**
   * A macro.
   *
   * @param implicit which of {@code caller}, {@code varargs}, {@code kwargs} its body uses
   */
  record Macro(
      String name, List<Parameter> parameters, Set<String> implicit, List<Statement> body) {}

  record Parameter(String name, Optional<Expression> standard) {}

  /** Where a value is put. */
  sealed interface Target {
    record Variable(String name) implements Target {}

    /** {@code namespace.name}. */
    record Member(String namespace, String name) implements Target {}

    record Several(List<Target> targets) implements Target {}
  }
}
