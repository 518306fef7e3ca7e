package dev.sluice.worker.runner;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * What the default model says, computed in float32 by an independent implementation from the
 * dequantised weights.
 */
@SuppressWarnings("ArrayRecordComponent") // compared element by element, never as records
record Golden(List<Greedy> greedy, List<Text> texts) {
  /**
   * A greedy continuation.
   *
   * @param gaps between the two best log-probabilities, at each token
   * @param firstTokens the best tokens at the first step, with their log-probabilities
   */
  record Greedy(
      String name,
      int[] prompt,
      int[] tokens,
      double[] gaps,
      int[] firstTokens,
      double[] firstLogprobs) {}

  /**
   * A text with the log-probability of each token but the first.
   *
   * @param meanLoss negative mean of the log-probabilities
   */
  record Text(String name, int[] tokens, double[] logprobs, double meanLoss) {}

  static Golden load() {
    String resource = "golden_smollm2_135m.json";
    try (InputStream in =
        Objects.requireNonNull(Golden.class.getResourceAsStream(resource), resource)) {
      JsonNode root = new ObjectMapper().readTree(in);
      List<Greedy> greedy = new ArrayList<>();
      for (JsonNode c : root.get("greedy")) {
        List<Double> first = new ArrayList<>();
        List<Integer> firstIds = new ArrayList<>();
        for (JsonNode pair : c.get("first_top5_logprobs")) {
          firstIds.add(pair.get(0).asInt());
          first.add(pair.get(1).asDouble());
        }
        greedy.add(
            new Greedy(
                c.get("name").asText(),
                ints(c.get("prompt_token_ids")),
                ints(c.get("greedy_token_ids")),
                doubles(c.get("top2_gap")),
                firstIds.stream().mapToInt(Integer::intValue).toArray(),
                first.stream().mapToDouble(Double::doubleValue).toArray()));
      }
      List<Text> texts = new ArrayList<>();
      for (JsonNode t : root.get("perplexity")) {
        texts.add(
            new Text(
                t.get("name").asText(),
                ints(t.get("token_ids")),
                doubles(t.get("logprobs")),
                t.get("mean_nll").asDouble()));
      }
      return new Golden(greedy, texts);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int[] ints(JsonNode array) {
    int[] result = new int[array.size()];
    for (int i = 0; i < result.length; i++) {
      result[i] = array.get(i).asInt();
    }
    return result;
  }

  private static double[] doubles(JsonNode array) {
    double[] result = new double[array.size()];
    for (int i = 0; i < result.length; i++) {
      result[i] = array.get(i).asDouble();
    }
    return result;
  }
}
