package dev.sluice.worker.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.worker.sampling.SamplingCases.Case;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every sampling parameter, alone and combined, against an independent implementation. */
final class SamplingCasesTest {
  static List<Case> cases() {
    return SamplingCases.load();
  }

  private static MemorySegment processed(Case c, Arena arena) {
    MemorySegment row = arena.allocateFrom(ValueLayout.JAVA_FLOAT, c.logits());
    c.state().apply(row, 0, c.logits().length);
    return row;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void choosesAsTheReferenceDoes(Case c) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment row = processed(c, arena);
      Sampler sampler = new Sampler(c.logits().length, c.logits().length);
      for (int position = 0; position < c.drawn().length; position++) {
        assertThat(sampler.sample(row, 0, c.params(), c.choice(), position))
            .as("position %s", position)
            .isEqualTo(c.drawn()[position]);
      }
    }
  }

  /** 2,000 draws of every case: none outside of the distribution, all in their frequencies. */
  @ParameterizedTest
  @MethodSource("cases")
  void drawsFollowTheDistribution(Case c) {
    assertThat(excess(c, 2_000)).isLessThan(5); // 1 in 3 million
  }

  /** 100,000 draws with all parameters at once, and with some. */
  @Test
  void manyDrawsFollowTheDistribution() {
    List<Case> cases =
        cases().stream()
            .filter(c -> c.name().matches("all|combined [0-3]|(typical|min)_p 0"))
            .toList();
    assertThat(cases).hasSize(7);
    for (Case c : cases) {
      assertThat(excess(c, 100_000)).as("%s", c).isLessThan(5);
    }
  }

  /** How many standard deviations chi-square lies above its mean. */
  private static double excess(Case c, int draws) {
    int[] counts = new int[c.logits().length];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment row = processed(c, arena);
      Sampler sampler = new Sampler(counts.length, counts.length);
      for (int position = 0; position < draws; position++) {
        counts[sampler.sample(row, 0, c.params(), 0, position)]++;
      }
    }
    double chiSquare = 0;
    int bins = 0;
    double rareMean = 0; // tokens too rare for a bin of their own share one
    int rareCount = 0;
    for (int token = 0; token < counts.length; token++) {
      double mean = draws * c.distribution().getOrDefault(token, 0.0);
      if (mean == 0) {
        assertThat(counts[token]).as("dropped token %s", token).isZero();
      } else if (mean < 10) {
        rareMean += mean;
        rareCount += counts[token];
      } else {
        chiSquare += (counts[token] - mean) * (counts[token] - mean) / mean;
        bins++;
      }
    }
    if (rareMean > 0) {
      chiSquare += (rareCount - rareMean) * (rareCount - rareMean) / Math.max(1, rareMean);
      bins++;
    }
    int degrees = Math.max(1, bins - 1);
    return (chiSquare - degrees) / Math.sqrt(2.0 * degrees);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void logprobsAreThoseOfTheRowItself(Case c) {
    JsonNode expected = c.logprob();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment row = arena.allocateFrom(ValueLayout.JAVA_FLOAT, c.logits());
      Sampler sampler = new Sampler(c.logits().length, c.logits().length);
      TokenLogprob logprob =
          sampler.logprob(row, 0, expected.get("token").asInt(), expected.get("top").size());
      assertThat(logprob.tokenId()).isEqualTo(expected.get("token").asInt());
      assertThat(logprob.logprob())
          .isCloseTo((float) expected.get("logprob").asDouble(), within(1e-5f));
      assertThat(logprob.rank()).isEqualTo(expected.get("rank").asInt());
      assertThat(logprob.topCount()).isEqualTo(expected.get("top").size());
      for (int i = 0; i < logprob.topCount(); i++) {
        JsonNode top = expected.get("top").get(i);
        assertThat(logprob.topToken(i)).isEqualTo(top.get(0).asInt());
        assertThat(logprob.topLogprob(i)).isCloseTo((float) top.get(1).asDouble(), within(1e-5f));
      }
    }
  }
}
