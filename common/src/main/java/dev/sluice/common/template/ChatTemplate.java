package dev.sluice.common.template;

import java.time.Clock;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A compiled chat template.
 *
 * <p>Renders as Python's jinja2 does when set up as for chat templates: an immutable sandbox,
 * {@code trim_blocks}, {@code lstrip_blocks}, loop controls, the {@code generation} tag, {@code
 * raise_exception}, {@code strftime_now} and a {@code tojson} that keeps characters as they are.
 * Integers have 64 bits; inheritance, imports and escaping are left out.
 *
 * <p>Threading: immutable; any number of threads may render at once.
 */
public final class ChatTemplate {
  private final List<Statement> body;
  private final Clock clock;

  private ChatTemplate(List<Statement> body, Clock clock) {
    this.body = body;
    this.clock = clock;
  }

  /**
   * Compiles a template's source.
   *
   * @throws TemplateException if it is not valid
   */
  public static ChatTemplate compile(String source) {
    return compile(source, Clock.system(ZoneId.systemDefault()));
  }

  /**
   * As {@link #compile(String)}, with the clock behind {@code strftime_now}.
   *
   * @throws TemplateException if it is not valid
   */
  public static ChatTemplate compile(String source, Clock clock) {
    return new ChatTemplate(Parser.parse(source), clock);
  }

  /**
   * Renders the template.
   *
   * @param context variables: each a Map with String keys, List, String, Long, Integer, Double,
   *     Boolean or null
   * @throws TemplateException if the template raises an error or costs too much
   * @throws IllegalArgumentException if a variable has another type
   */
  public String render(Map<String, ? extends @Nullable Object> context) {
    Budget budget = new Budget();
    Evaluator evaluator = new Evaluator(budget);
    try {
      Scope scope = Scope.root();
      new Functions(budget, clock).defineIn(scope);
      for (Map.Entry<String, ? extends @Nullable Object> variable : context.entrySet()) {
        scope.set(variable.getKey(), Conversion.toValue(variable.getValue(), variable.getKey(), 0));
      }
      return new Interpreter(budget, evaluator).capture(body, scope.inner());
    } catch (Failure e) {
      throw new TemplateException(e.reason(), evaluator.line());
    }
  }
}
