package dev.sluice.app.bench;

import dev.sluice.app.bench.Job.Turn;
import dev.sluice.app.cli.UsageException;
import dev.sluice.client.SluiceClient;
import dev.sluice.client.SluiceException;
import dev.sluice.client.TokenStream;
import dev.sluice.v1.Delta;
import dev.sluice.v1.Finished;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Model;
import dev.sluice.v1.TokenIds;
import dev.sluice.v1.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;

/** A router or a worker, by gRPC. Prompts are token ids. */
final class GrpcBackend implements Backend {
  private final SluiceClient client;
  private final GenerateRequest template;

  /**
   * @param client closed with this
   * @param template everything but prompt and length
   */
  GrpcBackend(SluiceClient client, GenerateRequest template) {
    this.client = client;
    this.template = template;
  }

  @Override
  public String name() {
    return "sluice";
  }

  @Override
  public String model() {
    return template.getModel();
  }

  @Override
  public int vocabularySize() {
    String model = model();
    List<Model> models = client.listModels();
    return models.stream()
        .filter(
            m -> model.isEmpty() || m.getId().equals(model) || m.getAliasesList().contains(model))
        .findFirst()
        .orElseThrow(() ->
            new UsageException(
                "--model: %s (expected: one of %s)"
                    .formatted(model, models.stream().map(Model::getId).toList())))
        .getVocabularySize();
  }

  @Override
  public Sender sender(LongSupplier clock, IntConsumer onTokens) {
    return job -> new GrpcTalk(job.turns().size() > 1, clock, onTokens);
  }

  @Override
  public void close() {
    client.close();
  }

  private final class GrpcTalk implements Sender.Talk {
    private final LongSupplier clock;
    private final IntConsumer onTokens;
    private final String session;
    private List<Integer> conversation = List.of();

    private GrpcTalk(boolean goesOn, LongSupplier clock, IntConsumer onTokens) {
      this.clock = clock;
      this.onTokens = onTokens;
      session = goesOn ? UUID.randomUUID().toString() : "";
    }

    @Override
    public Outcome send(Turn turn, long due) {
      conversation = Tokens.concat(conversation, turn.tokens());
      GenerateRequest.Builder request =
          template.toBuilder()
              .setSessionId(session)
              .setTokenIds(TokenIds.newBuilder().addAllIds(conversation));
      request.getStoppingBuilder().setMaxTokens(turn.outputTokens());
      AnswerTimes times = new AnswerTimes(due, clock, onTokens);
      List<Integer> tokens = new ArrayList<>();
      try (TokenStream stream = client.generate(request.build())) {
        for (GenerateResponse message : stream) {
          Delta delta = message.getDelta();
          if (delta.getTokenIdsCount() > 0) {
            times.came(delta.getTokenIdsCount());
            tokens.addAll(delta.getTokenIdsList());
          }
        }
        Usage usage = stream.finished().map(Finished::getUsage).orElse(Usage.getDefaultInstance());
        conversation = Tokens.concat(conversation, tokens);
        return times.completed(
            usage.getPromptTokens(), usage.getCachedPromptTokens(), tokens.size());
      } catch (SluiceException e) {
        Usage usage = e.usage().orElse(Usage.getDefaultInstance());
        String reason = e.reason().map(r -> " " + r).orElse("");
        return times.failed(
            usage.getPromptTokens(),
            usage.getCachedPromptTokens(),
            tokens.size(),
            e.code() + reason,
            "");
      }
    }
  }
}
