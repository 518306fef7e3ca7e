package dev.sluice.worker.service;

import dev.sluice.v1.Beam;
import dev.sluice.v1.Choices;
import dev.sluice.v1.Constraint;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.Logprobs;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import dev.sluice.v1.TokenIds;
import java.util.List;
import java.util.Random;

/** Requests over all features. */
final class RandomRequests {
  private final Random random;
  private final List<Integer> tokens; // to choose among
  private final int maxTokens;

  /**
   * @param tokens that prompts and the rules of sampling name
   */
  RandomRequests(long seed, List<Integer> tokens, int maxTokens) {
    this.random = new Random(seed);
    this.tokens = tokens;
    this.maxTokens = maxTokens;
  }

  GenerateRequest next() {
    GenerateRequest.Builder request =
        GenerateRequest.newBuilder()
            .setTokenIds(TokenIds.newBuilder().addAllIds(some(1 + random.nextInt(60))))
            .setStopping(stopping());
    if (random.nextInt(6) == 0) {
      int width = 1 + random.nextInt(5);
      request
          .setBeam(
              Beam.newBuilder()
                  .setWidth(width)
                  .setLengthPenalty(random.nextInt(3) * 0.7f)
                  .setEarlyStopping(random.nextBoolean()))
          .setN(1 + random.nextInt(width));
      request.getStoppingBuilder().clearStop();
    } else {
      request.setSampling(sampling());
      if (random.nextInt(5) == 0) {
        request.setConstraint(constraint());
      }
      if (random.nextInt(3) == 0) {
        request.setN(1 + random.nextInt(4));
      }
    }
    if (random.nextInt(3) == 0) {
      request.setLogprobs(Logprobs.newBuilder().setOutput(random.nextInt(4)));
    }
    if (random.nextInt(4) == 0) {
      request.getLogprobsBuilder().setPrompt(random.nextInt(21));
    }
    return request.build();
  }

  private Sampling sampling() {
    Sampling.Builder sampling =
        Sampling.newBuilder()
            .setSeed(random.nextLong())
            .setTemperature(random.nextInt(4) * 0.4f)
            .addAllAllowedTokenIds(random.nextBoolean() ? tokens : List.of());
    if (random.nextInt(3) == 0) {
      sampling.setTopK(random.nextInt(40));
    }
    if (random.nextInt(3) == 0) {
      sampling.setTopP(0.5f + random.nextFloat() / 2);
    }
    if (random.nextInt(4) == 0) {
      sampling.setMinP(random.nextFloat() / 4);
    }
    if (random.nextInt(4) == 0) {
      sampling.setTypicalP(0.5f + random.nextFloat() / 2);
    }
    if (random.nextInt(3) == 0) {
      sampling
          .setRepetitionPenalty(0.8f + random.nextFloat() / 2)
          .setPresencePenalty(random.nextFloat() - 0.5f)
          .setFrequencyPenalty(random.nextFloat() / 2);
    }
    if (random.nextInt(3) == 0) {
      some(3).forEach(token -> sampling.putLogitBias(token, 4 * random.nextFloat() - 2));
      sampling.addAllBannedTokenIds(some(2));
    }
    return sampling.build();
  }

  private Constraint constraint() {
    return switch (random.nextInt(3)) {
      case 0 -> Constraint.newBuilder().setRegex("[a-f]{2,20}(é|€|ab)+").build();
      case 1 ->
          Constraint.newBuilder()
              .setChoices(Choices.newBuilder().addValues("abba").addValues("abc").addValues("é€"))
              .build();
      default ->
          Constraint.newBuilder()
              .setJsonSchema(
                  """
                  {"type":"object","properties":{"a":{"type":"integer","minimum":0,"maximum":99},
                  "b":{"type":"string","maxLength":12}},"required":["a","b"],
                  "additionalProperties":false}
                  """)
              .build();
    };
  }

  private Stopping stopping() {
    Stopping.Builder stopping =
        Stopping.newBuilder()
            .setMaxTokens(1 + random.nextInt(maxTokens))
            .setIncludeStop(random.nextBoolean())
            .setIgnoreEos(random.nextBoolean());
    stopping.setMinTokens(random.nextInt(Math.min(stopping.getMaxTokens(), 10) + 1));
    for (int i = random.nextInt(3); i > 0; i--) {
      StringBuilder stop = new StringBuilder();
      for (int j = 1 + random.nextInt(3); j > 0; j--) {
        stop.append((char) ('a' + random.nextInt(6)));
      }
      stopping.addStop(stop.toString());
    }
    if (random.nextInt(3) == 0) {
      stopping.addAllStopTokenIds(some(1));
    }
    return stopping.build();
  }

  private List<Integer> some(int count) {
    return random.ints(count, 0, tokens.size()).mapToObj(tokens::get).toList();
  }
}
