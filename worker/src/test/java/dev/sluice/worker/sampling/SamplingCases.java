package dev.sluice.worker.sampling;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.StreamSupport;

/** What {@code sampling_reference.py} says of every sampling parameter, alone and combined. */
final class SamplingCases {
  /**
   * One case.
   *
   * @param logits of the row, before everything
   * @param state after the output
   * @param distribution probability of each token that can be chosen
   * @param drawn tokens of the positions from 0 on
   * @param logprob token, log-probability and rank of one token; then the most likely ones
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Case(
      String name,
      float[] logits,
      SamplingParams params,
      DecodingState state,
      int choice,
      Map<Integer, Double> distribution,
      int[] drawn,
      JsonNode logprob) {
    @Override
    public String toString() {
      return name;
    }
  }

  private SamplingCases() {}

  static List<Case> load() {
    String resource = "sampling_cases.json";
    try (InputStream in =
        Objects.requireNonNull(SamplingCases.class.getResourceAsStream(resource), resource)) {
      JsonNode root = new ObjectMapper().readTree(in);
      List<Case> cases = new ArrayList<>();
      for (JsonNode node : root.get("cases")) {
        cases.add(read(node, root.get("rows").get(node.get("row").asInt())));
      }
      return cases;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Case read(JsonNode node, JsonNode row) {
    float[] logits = new float[row.size()];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) row.get(i).asDouble();
    }
    SamplingParams params = params(node.get("params"), node.get("seed").asLong());
    DecodingState state = DecodingState.start(params, ints(node.get("prompt")));
    for (int token : ints(node.get("output"))) {
      state.accept(token);
    }
    Map<Integer, Double> distribution = new HashMap<>();
    node.get("distribution")
        .forEach(pair -> distribution.put(pair.get(0).asInt(), pair.get(1).asDouble()));
    return new Case(
        node.get("name").asText(),
        logits,
        params,
        state,
        node.get("choice").asInt(),
        distribution,
        ints(node.get("drawn")),
        node.get("logprob"));
  }

  private static SamplingParams params(JsonNode p, long seed) {
    Map<Integer, Float> bias = new HashMap<>();
    p.get("logit_bias").forEach(pair -> bias.put(pair.get(0).asInt(), number(pair.get(1))));
    return new SamplingParams(
        number(p.get("temperature")),
        p.get("top_k").asInt(),
        number(p.get("top_p")),
        number(p.get("min_p")),
        number(p.get("typical_p")),
        new Penalties(
            number(p.get("repetition_penalty")),
            number(p.get("presence_penalty")),
            number(p.get("frequency_penalty"))),
        new TokenRules(bias, ints(p.get("allowed")), ints(p.get("banned"))),
        seed);
  }

  private static float number(JsonNode node) {
    return (float) node.asDouble();
  }

  private static int[] ints(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
  }
}
