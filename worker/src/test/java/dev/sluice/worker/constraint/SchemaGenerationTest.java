package dev.sluice.worker.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** One answer of the default model to each of twenty schemas; {@link SchemaCampaign} has more. */
class SchemaGenerationTest {
  @Test
  void answersAreValid() throws Exception {
    try (SchemaGenerations generations = new SchemaGenerations()) {
      List<SchemaGenerations.Answer> answers = generations.ask(1);
      assertThat(answers).hasSize(20);
      for (SchemaGenerations.Answer answer : answers) {
        if (!answer.cause().equals("Length")) {
          assertThat(answer.error()).as("%s", answer).isEmpty();
        }
      }
      assertThat(SchemaGenerations.causes(answers)).containsKey("ConstraintDone");
      assertThat(SchemaGenerations.causes(answers)).doesNotContainKey("ConstraintDeadEnd");
    }
  }
}
