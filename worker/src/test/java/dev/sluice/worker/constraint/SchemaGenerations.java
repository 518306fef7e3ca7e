package dev.sluice.worker.constraint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import dev.sluice.common.error.Refusal;
import dev.sluice.common.prompt.PromptEncoder;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.v1.ChatMessage;
import dev.sluice.v1.ChatMessages;
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
import dev.sluice.worker.runner.OrtModelRunner;
import dev.sluice.worker.runner.OrtModelRunnerConfig;
import dev.sluice.worker.sampling.SamplingParams;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/** Answers of the default model, at temperature 1, to {@link SchemaCases}. */
final class SchemaGenerations implements AutoCloseable {
  private static final int MAX_TOKENS = 600;

  private final TokenizerBundle bundle;
  private final OrtModelRunner runner;
  private final Tokenizer tokenizer;
  private final PromptEncoder prompts;
  private final Engine engine;
  private final Constraints constraints;

  /**
   * One answer.
   *
   * @param cause how it ended, in one word
   * @param error what the validator says against it; empty if it is valid
   */
  record Answer(SchemaCases.Case asked, String text, String cause, int tokens, String error) {
    boolean isDone() {
      return cause.equals("ConstraintDone");
    }
  }

  SchemaGenerations() {
    try (Checkpoint checkpoint = Checkpoints.open(TestModel.path())) {
      bundle = checkpoint.tokenizer();
      runner =
          OrtModelRunner.load(
              checkpoint,
              new OrtModelRunnerConfig(
                  Quantization.INT8, KvType.BF16, 2, 512L << 20, 16, 2048, 256, 16));
    }
    tokenizer = Tokenizer.load(bundle);
    prompts = new PromptEncoder(bundle, tokenizer);
    constraints = new Constraints(bundle);
    engine = new Engine(runner, EngineConfig.defaults(), NanoClock.SYSTEM, EngineObserver.NONE);
    engine.start();
  }

  /** Asks every question so many times. */
  List<Answer> ask(int times) {
    List<CompletableFuture<Answer>> answers = new ArrayList<>();
    for (int i = 0; i < times; i++) {
      for (SchemaCases.Case asked : SchemaCases.ALL) {
        answers.add(ask(asked, i));
      }
    }
    return answers.stream().map(CompletableFuture::join).toList();
  }

  private CompletableFuture<Answer> ask(SchemaCases.Case asked, long seed) {
    Constraint constraint =
        constraints.begin(new ConstraintSource.JsonSchema(asked.schema())).await();
    ChatMessages messages =
        ChatMessages.newBuilder()
            .addMessages(
                ChatMessage.newBuilder()
                    .setRole("user")
                    .setContent(asked.question() + " Answer in JSON."))
            .build();
    int[] prompt = prompts.encodeRendered(prompts.render(messages));
    GenerationTask task =
        GenerationTask.builder("answer-" + seed, prompt)
            .maxTokens(MAX_TOKENS)
            .eosTokenIds(bundle.eosTokenIds().stream().mapToInt(Integer::intValue).toArray())
            .sampling(new SamplingParams(1, 0, 1, seed))
            .constraint(constraint)
            .build();
    Collector collector = new Collector(asked);
    engine.submit(task, collector);
    return collector.answer;
  }

  /** Gathers one answer's tokens. */
  private final class Collector implements GenerationListener {
    final CompletableFuture<Answer> answer = new CompletableFuture<>();
    private final SchemaCases.Case asked;
    private final List<Integer> tokens = new ArrayList<>();
    private String cause = "";

    Collector(SchemaCases.Case asked) {
      this.asked = asked;
    }

    @Override
    public void onPrefilled(PrefillSummary prefill) {}

    @Override
    public void onToken(int choice, int tokenId, boolean ending, long nanos) {
      tokens.add(tokenId);
    }

    @Override
    public void onChoiceFinished(int choice, FinishCause finishCause) {
      cause = finishCause.getClass().getSimpleName();
    }

    @Override
    public void onComplete(GenerationSummary summary) {
      answer.completeAsync(() -> {
        String text = tokenizer.decode(tokens.stream().mapToInt(Integer::intValue).toArray(), true);
        return new Answer(asked, text, cause, tokens.size(), judge(asked.schema(), text));
      });
    }

    @Override
    public void onFailed(Refusal refusal, GenerationSummary summary) {
      answer.completeExceptionally(new AssertionError(refusal.message()));
    }
  }

  /** What an independent validator says against a text. */
  static String judge(String schema, String text) {
    ObjectMapper json = new ObjectMapper();
    try {
      JsonSchema judge =
          JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
              .getSchema(
                  json.readTree(schema),
                  SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build());
      return String.join(
          "; ", judge.validate(json.readTree(text)).stream().map(Object::toString).toList());
    } catch (JsonProcessingException e) {
      return "no JSON: " + e.getOriginalMessage();
    }
  }

  /** How many answers ended in each way. */
  static Map<String, Integer> causes(List<Answer> answers) {
    Map<String, Integer> causes = new TreeMap<>();
    answers.forEach(answer -> causes.merge(answer.cause(), 1, Integer::sum));
    return causes;
  }

  @Override
  public void close() {
    try {
      boolean _ = engine.close(Duration.ofSeconds(10));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    constraints.close();
    runner.close();
    tokenizer.close();
  }
}
