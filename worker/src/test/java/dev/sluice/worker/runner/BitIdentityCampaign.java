package dev.sluice.worker.runner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.worker.graph.Quantization;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * All of what {@link BitIdentityTest} samples: 200 random prompts, each with every batch size and
 * chunk size, every combination of these with what happens to the blocks, other processes and other
 * instruction sets. Takes the better part of an hour on two cores and is therefore no part of the
 * build; to run it:
 *
 * <pre>
 *   mvn -Pfast -pl worker -am test -Dtest=BitIdentityCampaign -Dsurefire.failIfNoSpecifiedTests=false
 * </pre>
 *
 * It prints a line for each comparison and fails if a bit differs.
 */
final class BitIdentityCampaign {
  private static final int PROMPTS = Integer.getInteger("prompts", 200);
  private static final CampaignVariant ELSEWHERE =
      new CampaignVariant(7, 64, CampaignVariant.Mode.OWN);

  @BeforeAll
  static void printHeader() {
    BitIdentity.printHeader();
  }

  @ParameterizedTest
  @EnumSource(names = {"NONE", "INT8"})
  void inThisProcess(Quantization quantization) throws Exception {
    BitIdentity identity = new BitIdentity(quantization, PROMPTS);
    identity.everyVariant();
    assertThat(identity.differences()).as("%s", identity.firstDifference()).isZero();
  }

  @ParameterizedTest
  @EnumSource(names = {"NONE", "INT8"})
  void inOtherProcesses(Quantization quantization) throws Exception {
    BitIdentity identity = new BitIdentity(quantization, PROMPTS);
    identity.reference();
    for (int i = 0; i < 5; i++) {
      identity.inTheFirstStep(i * (PROMPTS / 5));
    }
    identity.inAnotherProcess("another process", PROMPTS, ELSEWHERE);
    identity.inAnotherProcess("UseAVX=2", PROMPTS, ELSEWHERE, "-XX:UseAVX=2");
    identity.inAnotherProcess("UseAVX=1", PROMPTS / 5, ELSEWHERE, "-XX:UseAVX=1");
    identity.inAnotherProcess("MaxVectorSize=16", PROMPTS / 5, ELSEWHERE, "-XX:MaxVectorSize=16");
    assertThat(identity.differences()).as("%s", identity.firstDifference()).isZero();
  }

  /**
   * The interpreter takes minutes for some tokens: a prefill and a decode, of all layers. It would
   * take hours to convert the weights, so another process does that.
   */
  @ParameterizedTest
  @EnumSource(names = {"NONE", "INT8"})
  void interpreted(Quantization quantization, @TempDir Path folder) throws Exception {
    BitIdentity identity = new BitIdentity(quantization, 1);
    identity.reference();
    String weights = CampaignModel.weightsIn(folder);
    identity.inAnotherProcess("another process", 1, ELSEWHERE, weights);
    identity.inAnotherProcess("-Xint", 1, ELSEWHERE, weights, "-Xint");
    assertThat(identity.differences()).as("%s", identity.firstDifference()).isZero();
  }
}
