package dev.sluice.worker.triton;

import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.sampling.SamplingParams;
import java.util.Arrays;
import java.util.StringJoiner;

/** A request's sampling as one JSON object, with the names that vLLM gives its parameters. */
final class SamplingJson {
  private SamplingJson() {}

  static String of(Asked asked) {
    GenerationTask task = asked.task();
    SamplingParams sampling = task.sampling();
    StringJoiner json = new StringJoiner(",", "{", "}");
    put(json, "temperature", sampling.temperature());
    put(json, "top_p", sampling.topP());
    put(json, "min_p", sampling.minP());
    put(json, "repetition_penalty", sampling.penalties().repetition());
    put(json, "presence_penalty", sampling.penalties().presence());
    put(json, "frequency_penalty", sampling.penalties().frequency());
    if (sampling.topK() > 0) { // 0 and -1 mean all, by version
      json.add("\"top_k\":" + sampling.topK());
    }
    json.add("\"seed\":" + (sampling.seed() & Long.MAX_VALUE));
    json.add("\"max_tokens\":" + asked.maxTokens());
    json.add("\"min_tokens\":" + task.minTokens());
    json.add("\"ignore_eos\":" + task.ignoreEos());
    int[] stops = task.stopTokenIds();
    if (stops.length > 0) {
      json.add("\"stop_token_ids\":" + Arrays.toString(stops));
    }
    return json.toString();
  }

  private static void put(StringJoiner json, String name, float value) {
    json.add("\"" + name + "\":" + value);
  }
}
