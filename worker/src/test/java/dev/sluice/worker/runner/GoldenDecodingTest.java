package dev.sluice.worker.runner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.common.error.Refusal;
import dev.sluice.worker.engine.BeamParams;
import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.engine.EngineObserver;
import dev.sluice.worker.engine.FinishCause;
import dev.sluice.worker.engine.GenerationListener;
import dev.sluice.worker.engine.GenerationSummary;
import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.engine.NanoClock;
import dev.sluice.worker.engine.PrefillSummary;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.TestModel;
import dev.sluice.worker.sampling.Penalties;
import dev.sluice.worker.sampling.SamplingParams;
import dev.sluice.worker.sampling.TokenLogprob;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Log-probabilities of prompt and output, penalties and beam search of the default model in float32
 * against {@code golden_decoding.py}, through the engine.
 */
final class GoldenDecodingTest {
  private static final int EOS = 2;
  private static final double TOLERANCE = 2e-3;

  /** Decisions nearer than this may fall otherwise. */
  private static final double TIE = 0.01;

  private static OrtModelRunner runner;
  private static Engine engine;
  private static JsonNode golden;

  @BeforeAll
  static void start() throws Exception {
    String resource = "golden_decoding.json";
    try (InputStream in =
        Objects.requireNonNull(GoldenDecodingTest.class.getResourceAsStream(resource), resource)) {
      golden = new ObjectMapper().readTree(in);
    }
    try (Checkpoint checkpoint = Checkpoints.open(TestModel.path())) {
      runner =
          OrtModelRunner.load(
              checkpoint,
              new OrtModelRunnerConfig(
                  Quantization.NONE, KvType.FLOAT32, 2, 128L << 20, 16, 1024, 256, 16));
    }
    engine = new Engine(runner, EngineConfig.defaults(), NanoClock.SYSTEM, EngineObserver.NONE);
    engine.start();
  }

  @AfterAll
  static void close() throws Exception {
    assertThat(engine.close(Duration.ofSeconds(20))).isTrue();
    runner.close();
  }

  /** All that is heard of a task. */
  private static final class Heard implements GenerationListener {
    private final List<TokenLogprob> promptLogprobs = new ArrayList<>();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private final List<List<Integer>> tokens = new ArrayList<>();
    private final List<Double> scores = new ArrayList<>();
    private final CompletableFuture<Heard> done = new CompletableFuture<>();

    @Override
    public void onPromptLogprob(TokenLogprob logprob) {
      promptLogprobs.add(logprob);
    }

    @Override
    public void onPrefilled(PrefillSummary prefill) {}

    @Override
    public void onLogprob(int choice, TokenLogprob logprob) {
      logprobs.add(logprob);
    }

    @Override
    public void onToken(int choice, int tokenId, boolean ending, long nanos) {
      if (tokens.size() == choice) {
        tokens.add(new ArrayList<>());
      }
      tokens.get(choice).add(tokenId);
    }

    @Override
    public void onScore(int choice, double score) {
      scores.add(score);
    }

    @Override
    public void onChoiceFinished(int choice, FinishCause cause) {}

    @Override
    public void onComplete(GenerationSummary summary) {
      done.complete(this);
    }

    @Override
    public void onFailed(Refusal refusal, GenerationSummary summary) {
      done.completeExceptionally(new AssertionError(refusal.toString()));
    }
  }

  private static CompletableFuture<Heard> submit(GenerationTask.Builder task) {
    Heard heard = new Heard();
    engine.submit(task.eosTokenIds(EOS).build(), heard);
    return heard.done;
  }

  private static GenerationTask.Builder task(JsonNode golden, int... more) {
    int[] prompt =
        IntStream.concat(IntStream.of(ints(golden.get("prompt"))), IntStream.of(more)).toArray();
    return GenerationTask.builder(golden.get("name").asText(), prompt);
  }

  private static int[] ints(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
  }

  private static List<Integer> list(JsonNode array) {
    return IntStream.of(ints(array)).boxed().toList();
  }

  /** The whole text is a prompt: log-probabilities of forced tokens. */
  @Test
  void promptLogprobs() {
    for (JsonNode expected : golden.get("scored")) {
      Heard heard =
          submit(task(expected, ints(expected.get("output"))).promptLogprobs(5).maxTokens(1))
              .join();
      assertThat(heard.promptLogprobs).hasSize(expected.get("scores").size());
      for (int i = 0; i < heard.promptLogprobs.size(); i++) {
        verify(heard.promptLogprobs.get(i), expected.get("scores").get(i));
      }
    }
  }

  /** Greedy and sampled at once: while a sampled choice follows the text, its numbers do, too. */
  @Test
  void outputLogprobs() {
    for (JsonNode expected : golden.get("scored")) {
      int[] output = ints(expected.get("output"));
      int promptLength = expected.get("prompt").size();
      for (float temperature : new float[] {0, 1.5f}) {
        Heard heard =
            submit(
                    task(expected)
                        .outputLogprobs(5)
                        .maxTokens(output.length)
                        .sampling(
                            new SamplingParams(temperature, 0, 1, 3)
                                .withPenalties(new Penalties(1, 0, 0.01f))))
                .join();
        List<Integer> tokens = heard.tokens.getFirst();
        assertThat(heard.logprobs).hasSameSizeAs(tokens);
        boolean follows = true;
        for (int i = 0; i < tokens.size() && follows; i++) {
          JsonNode score = expected.get("scores").get(promptLength - 1 + i);
          follows = tokens.get(i) == output[i];
          if (follows) {
            verify(heard.logprobs.get(i), score);
          } else {
            verifyTop(heard.logprobs.get(i), score);
          }
        }
      }
    }
  }

  private static void verify(TokenLogprob logprob, JsonNode expected) {
    assertThat(logprob.tokenId()).isEqualTo(expected.get("token").asInt());
    assertThat((double) logprob.logprob())
        .isCloseTo(expected.get("logprob").asDouble(), within(TOLERANCE));
    assertThat(logprob.rank())
        .isCloseTo(expected.get("rank").asInt(), within(expected.get("near").asInt()));
    verifyTop(logprob, expected);
  }

  private static void verifyTop(TokenLogprob logprob, JsonNode expected) {
    assertThat(logprob.topCount()).isEqualTo(expected.get("top").size());
    for (int i = 0; i < logprob.topCount(); i++) {
      assertThat((double) logprob.topLogprob(i))
          .isCloseTo(expected.get("top").get(i).get(1).asDouble(), within(TOLERANCE));
    }
  }

  @Test
  void penalties() {
    int compared = 0;
    for (JsonNode expected : golden.get("penalized")) {
      Penalties penalties =
          new Penalties(
              (float) expected.get("repetition").asDouble(),
              (float) expected.get("presence").asDouble(),
              (float) expected.get("frequency").asDouble());
      Heard heard =
          submit(
                  task(expected)
                      .maxTokens(20)
                      .sampling(SamplingParams.GREEDY.withPenalties(penalties)))
              .join();
      if (expected.get("margin").asDouble() > TIE) {
        compared++;
        assertThat(heard.tokens.getFirst())
            .as("%s, %s", expected.get("name"), penalties)
            .isEqualTo(list(expected.get("output")));
      }
    }
    assertThat(compared).isGreaterThanOrEqualTo(golden.get("penalized").size() / 2);
  }

  @Test
  void beamSearch() {
    List<CompletableFuture<Heard>> running = new ArrayList<>();
    for (JsonNode expected : golden.get("beams")) {
      running.add(
          submit(
              task(expected)
                  .maxTokens(expected.get("max_tokens").asInt())
                  .minTokens(expected.get("min_tokens").asInt())
                  .beam(
                      new BeamParams(
                          expected.get("width").asInt(),
                          expected.get("best").asInt(),
                          (float) expected.get("length_penalty").asDouble(),
                          expected.get("early_stopping").asBoolean()))));
    }
    int compared = 0;
    for (int i = 0; i < running.size(); i++) {
      JsonNode expected = golden.get("beams").get(i);
      Heard heard = running.get(i).join();
      assertThat(heard.tokens).hasSize(expected.get("best").asInt());
      if (expected.get("margin").asDouble() > TOLERANCE) {
        compared++;
        for (int beam = 0; beam < heard.tokens.size(); beam++) {
          JsonNode best = expected.get("beams").get(beam);
          assertThat(heard.tokens.get(beam))
              .as("%s, beam %d", expected.get("name"), beam)
              .isEqualTo(list(best.get("output")));
          assertThat(heard.scores.get(beam))
              .isCloseTo(best.get("score").asDouble(), within(TOLERANCE * 4));
        }
      }
    }
    assertThat(compared).isGreaterThanOrEqualTo(golden.get("beams").size() / 2);
  }
}
