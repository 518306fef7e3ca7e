package dev.sluice.worker.runner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.worker.graph.Quantization;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The logits of a row are the same bits whatever else the step holds and however it was come to: a
 * pairwise sample of {@link BitIdentityCampaign}.
 */
final class BitIdentityTest {
  private static final int PROMPTS = 32;

  @BeforeAll
  static void printHeader() {
    BitIdentity.printHeader();
  }

  @ParameterizedTest
  @EnumSource(names = {"NONE", "INT8"})
  void everyTwoOfBatchChunkAndBlocksMeet(Quantization quantization) throws Exception {
    BitIdentity identity = new BitIdentity(quantization, PROMPTS);
    identity.everyPair();
    identity.inTheFirstStep(PROMPTS / 2);
    assertThat(identity.firstDifference()).isEmpty();
  }
}
