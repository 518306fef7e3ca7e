/**
 * Chat templates: the part of Jinja that models' templates use, with the semantics of Python's
 * jinja2 in an immutable sandbox. Starting point: {@code ChatTemplate}.
 *
 * <p>Source goes through {@code Lexer} and {@code Parser} to a tree of {@code Statement}s and
 * {@code Expression}s, which {@code Interpreter} and {@code Evaluator} walk for each rendering. A
 * template may come from a stranger's model file: what it may cost is bounded by {@code Budget},
 * and it sees nothing but the values it is given.
 */
@NullMarked
package dev.sluice.common.template;

import org.jspecify.annotations.NullMarked;
