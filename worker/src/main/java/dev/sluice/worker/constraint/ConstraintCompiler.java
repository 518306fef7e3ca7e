package dev.sluice.worker.constraint;

import dev.sluice.common.error.RefusalException;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/**
 * Compiles constraints for one vocabulary.
 *
 * <p>Threading: any thread, for as long as the limits allow; immutable.
 */
final class ConstraintCompiler {
  /** Memory of one constraint's states and masks. */
  private static final long MAX_BYTES = 16L << 20;

  private final Vocabulary vocabulary;
  private final CompileLimits limits;

  ConstraintCompiler(Vocabulary vocabulary, CompileLimits limits) {
    this.vocabulary = vocabulary;
    this.limits = limits;
  }

  /**
   * @param cancelled whether nobody waits for the result any more
   * @throws RefusalException naming what is wrong, or the limit that it exceeds
   * @throws CancellationException if it was cancelled
   */
  Constraint compile(ConstraintSource source, BooleanSupplier cancelled) {
    try {
      Budget budget = new Budget(limits, cancelled);
      Constraint constraint = new Constraint(program(source, budget), vocabulary, MAX_BYTES);
      if (constraint.start().isDone()) {
        throw new ConstraintException("only the empty text matches (expected: some other)");
      }
      return constraint;
    } catch (ConstraintException e) {
      throw RefusalException.invalid(source.field(), String.valueOf(e.getMessage()));
    }
  }

  private static Program program(ConstraintSource source, Budget budget) {
    return switch (source) {
      case ConstraintSource.JsonSchema(String schema) -> SchemaCompiler.compile(schema, budget);
      case ConstraintSource.Regex(String pattern) ->
          Program.of(
              Determinizer.of(RegexParser.parse(pattern, budget), TextEncoding.PLAIN, budget));
      case ConstraintSource.Choices choices -> {
        budget.source(choices.length());
        Set<String> values = new HashSet<>(choices.values());
        yield Program.of(Literals.of(values, budget));
      }
    };
  }
}
