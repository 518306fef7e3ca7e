package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.client.GenerateOptions;
import dev.sluice.client.SluiceClient;
import dev.sluice.client.TokenStream;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** Requests of all kinds, each of which always has the same answer, and what they got. */
final class ChaosRequests {
  private static final String SCHEMA =
      """
      {"type":"object","properties":{"name":{"type":"string","maxLength":20},
      "age":{"type":"integer"},"tags":{"type":"array","items":{"type":"string","maxLength":8},
      "maxItems":3}},"required":["name","age","tags"],"additionalProperties":false}\
      """;
  private static final List<String> TOPICS =
      List.of("rivers", "bread", "the moon", "trains", "a small village", "glass", "winter");

  private ChaosRequests() {}

  /** What a client got of one choice. */
  record Choice(List<Integer> tokens, String text, FinishReason reason) {}

  /** So many, in turn greedy, sampled, with stop strings, with a schema, with two choices. */
  static List<GenerateRequest> mixed(int count, int tokens) {
    return IntStream.range(0, count).mapToObj(i -> request(i, tokens)).toList();
  }

  private static GenerateRequest request(int i, int tokens) {
    GenerateOptions chat =
        GenerateOptions.chat("Tell me about " + TOPICS.get(i % TOPICS.size()) + ", part " + i + ".")
            .maxTokens(tokens);
    GenerateRequest.Builder request =
        switch (i % 5) {
          case 0 -> chat.temperature(0).toBuilder();
          case 1 -> chat.temperature(0.9).topP(0.95).toBuilder();
          case 2 -> chat.temperature(0.7).stop(" and", "\n\n").toBuilder();
          case 3 -> chat.temperature(0.8).toBuilder();
          default -> chat.temperature(1).topK(40).toBuilder();
        };
    request.getSamplingBuilder().setSeed(1_000 + i);
    switch (i % 5) {
      case 1 -> request.getSamplingBuilder().setRepetitionPenalty(1.2f);
      case 3 -> request.getConstraintBuilder().setJsonSchema(SCHEMA);
      case 4 -> request.setN(2);
      default -> {}
    }
    return request.build();
  }

  /** Sends one and reads it to its end; every message must have its place. */
  static List<Choice> ask(SluiceClient client, GenerateRequest request) {
    TreeMap<Integer, List<Integer>> tokens = new TreeMap<>();
    TreeMap<Integer, StringBuilder> texts = new TreeMap<>();
    TreeMap<Integer, FinishReason> reasons = new TreeMap<>();
    long sequence = 0;
    boolean finished = false;
    try (TokenStream stream = client.generate(request)) {
      for (GenerateResponse message : stream) {
        assertThat(message.getSequence()).as("sequence").isEqualTo(++sequence);
        assertThat(message.hasStarted()).as("Started").isEqualTo(sequence == 1);
        assertThat(finished).as("a message after Finished").isFalse();
        if (message.hasDelta()) {
          Delta delta = message.getDelta();
          tokens
              .computeIfAbsent(delta.getChoice(), _ -> new ArrayList<>())
              .addAll(delta.getTokenIdsList());
          texts
              .computeIfAbsent(delta.getChoice(), _ -> new StringBuilder())
              .append(delta.getText());
        } else if (message.hasChoiceFinished()) {
          ChoiceFinished end = message.getChoiceFinished();
          assertThat(reasons.put(end.getChoice(), end.getReason())).as("second end").isNull();
        }
        finished = message.hasFinished();
      }
    }
    assertThat(finished).as("Finished came").isTrue();
    return reasons.entrySet().stream()
        .map(end ->
            new Choice(
                List.copyOf(tokens.getOrDefault(end.getKey(), List.of())),
                texts.getOrDefault(end.getKey(), new StringBuilder()).toString(),
                end.getValue()))
        .toList();
  }
}
