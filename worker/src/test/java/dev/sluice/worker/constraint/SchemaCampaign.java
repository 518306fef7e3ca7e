package dev.sluice.worker.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Five hundred answers of the default model, at temperature 1, to twenty bounded schemas. Takes
 * some minutes on two cores and is therefore no part of the build; to run it:
 *
 * <pre>
 *   mvn -Pfast -pl worker -am test -Dtest=SchemaCampaign -Dsurefire.failIfNoSpecifiedTests=false
 * </pre>
 *
 * It prints how the answers ended and those that are wrong, and fails if one that ended as done is
 * not valid by an independent validator, or more than one in a hundred ended by length.
 */
final class SchemaCampaign {
  private static final int TIMES = Integer.getInteger("times", 25);

  @Test
  void answersAreValid() throws Exception {
    try (SchemaGenerations generations = new SchemaGenerations()) {
      long start = System.nanoTime();
      List<SchemaGenerations.Answer> answers = generations.ask(TIMES);
      double seconds = (System.nanoTime() - start) / 1e9;
      int tokens = answers.stream().mapToInt(SchemaGenerations.Answer::tokens).sum();
      System.out.printf(
          "%d answers, %d tokens, %.1f s: %s%n",
          answers.size(), tokens, seconds, SchemaGenerations.causes(answers));
      List<SchemaGenerations.Answer> wrong =
          answers.stream().filter(answer -> answer.isDone() && !answer.error().isEmpty()).toList();
      wrong.forEach(answer -> System.out.println("wrong: " + answer));
      answers.stream()
          .filter(answer -> answer.cause().equals("Length"))
          .forEach(answer -> System.out.println("too long: " + answer.asked().question()));
      assertThat(wrong).isEmpty();
      assertThat(SchemaGenerations.causes(answers).getOrDefault("Length", 0))
          .isLessThanOrEqualTo(answers.size() / 100);
    }
  }
}
