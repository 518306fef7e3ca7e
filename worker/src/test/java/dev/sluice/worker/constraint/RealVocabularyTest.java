package dev.sluice.worker.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.tokenizer.TokenBytes;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.TestModel;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The default model's vocabulary. */
class RealVocabularyTest {
  private static TokenizerBundle bundle;

  @BeforeAll
  static void open() {
    try (Checkpoint checkpoint = Checkpoints.open(TestModel.path())) {
      bundle = checkpoint.tokenizer();
    }
  }

  @Test
  void bytesOfTokensAreTheTextThatTheTokenizerMakesOfThem() {
    TokenBytes bytes = TokenBytes.read(bundle);
    try (Tokenizer tokenizer = Tokenizer.load(bundle)) {
      assertThat(bytes.size()).isEqualTo(tokenizer.vocabularySize());
      int texts = 0;
      for (int id = 0; id < bytes.size(); id++) {
        String text = new String(bytes.of(id), StandardCharsets.UTF_8);
        assertThat(text).as("token %d", id).isEqualTo(tokenizer.decode(new int[] {id}, true));
        texts += text.isEmpty() ? 0 : 1;
      }
      assertThat(texts).isGreaterThan(49_000);
    }
  }

  /** Random outputs of random tokens, and how long their masks took. */
  @Test
  void outputsOfThisVocabularyConform() {
    Vocabulary vocabulary = Vocabulary.read(bundle);
    String schema =
        """
        {"type":"object","properties":{"name":{"type":"string","maxLength":40},
        "tags":{"type":"array","maxItems":5,"items":{"type":"string","pattern":"^[a-z]+$",
        "maxLength":12}},"size":{"type":"number","minimum":0,"maximum":100},
        "free":{"type":"string"}},"required":["name","size"]}
        """;
    Constraint constraint =
        new ConstraintCompiler(vocabulary, CompileLimits.defaults())
            .compile(new ConstraintSource.JsonSchema(schema), () -> false);
    for (int seed = 0; seed < 20; seed++) {
      Random random = new Random(seed);
      ConstraintState state = constraint.start();
      for (int i = 0; i < 300 && !state.isDone(); i++) {
        long[] mask = state.allowed();
        int token = random.nextInt(vocabulary.size());
        while ((mask[token / Long.SIZE] >>> token & 1) == 0) {
          token = (token + 1) % vocabulary.size();
        }
        assertThat(state.allows(token)).isTrue();
        state.accept(token);
      }
    }
  }
}
