package dev.sluice.worker.runner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

final class MemoryPlanProperties {
  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;

  @Provide
  static Arbitrary<MemoryPlan> needs() {
    return Combinators.combine(
            Arbitraries.longs().between(1, 100 * GIB),
            Arbitraries.longs().between(1, GIB),
            Arbitraries.longs().between(64, 4 * MIB),
            Arbitraries.of(16, 64, 128, 256))
        .as((weights, working, kv, blockSize) ->
            new MemoryPlan(weights, working, kv, blockSize, 0));
  }

  private static MemoryBudget budget(long memory) {
    return new MemoryBudget(
        Optional.of(memory), Optional.empty(), new MemoryLimit(GIB, MemoryLimit.Source.MACHINE));
  }

  @Property
  void neverTakesMoreThanThereIsNorLeavesABlockOut(
      @ForAll("needs") MemoryPlan needs, @ForAll @LongRange(min = 0, max = 200L << 30) long bytes) {
    MemoryPlan plan = needs.withTotalBytes(bytes);

    if (plan.blocks() > 0) {
      assertThat(plan.totalBytes()).isLessThanOrEqualTo(bytes);
    }
    assertThat(plan.totalBytes() + plan.blockBytes()).isGreaterThan(bytes);
  }

  @Property
  void requestsThatFitHaveTheirBlocks(
      @ForAll("needs") MemoryPlan needs,
      @ForAll @LongRange(min = 0, max = 200L << 30) long bytes,
      @ForAll @IntRange(min = 1, max = 200_000) int context) {
    MemoryPlan plan = needs.withTotalBytes(bytes);
    long each = ((long) context + plan.blockSize() - 1) / plan.blockSize();

    assertThat(plan.requests(context) * each).isLessThanOrEqualTo(plan.blocks());
    assertThat((plan.requests(context) + 1) * each).isGreaterThan(plan.blocks());
  }

  @Property
  void whatSufficesForOneRequestIsTheLeastThatDoes(
      @ForAll("needs") MemoryPlan needs, @ForAll @IntRange(min = 1, max = 200_000) int context) {
    long enough = needs.totalBytesFor(context);

    assertThat(budget(enough).plan(needs, context, 1).requests(context)).isEqualTo(1);
    assertThatThrownBy(() -> budget(enough - 1).plan(needs, context, 1))
        .isInstanceOf(MemoryException.class);
  }

  @Property
  void plansNoMoreThanAllRequestsCanUse(
      @ForAll("needs") MemoryPlan needs,
      @ForAll @IntRange(min = 1, max = 20_000) int context,
      @ForAll @IntRange(min = 1, max = 100) int sequences) {
    MemoryPlan plan = budget(Long.MAX_VALUE / 2).plan(needs, context, sequences);

    assertThat(plan.requests(context)).isEqualTo(sequences);
  }

  @Example
  void saysWhatIsMissingAndWhatToDo() {
    MemoryPlan needs = new MemoryPlan(163 * MIB, 300 * MIB, 23_040, 16, 0);
    MemoryLimit limit = new MemoryLimit(GIB, MemoryLimit.Source.CGROUP);

    assertThatThrownBy(() -> budget(600 * MIB).plan(needs, 8192, 8))
        .hasMessage(
            "memory: 600.0 MiB (expected: at least 643.0 MiB: weights 163.0 MiB, working memory"
                + " 300.0 MiB, the KV cache of one request of 8192 tokens 180.0 MiB). Give it more"
                + " --memory, or a --model.context-length of at most 6224, or hold the weights in"
                + " fewer bits with --quantization");
    assertThatThrownBy(() ->
            new MemoryBudget(Optional.empty(), Optional.empty(), limit).plan(needs, 65_536, 8))
        .hasMessageStartingWith("memory: 921.6 MiB, nine tenths of the control group's limit (");
  }

  @Example
  void takesTheSizeOfTheCacheAsSaid() {
    MemoryPlan needs = new MemoryPlan(163 * MIB, 300 * MIB, 23_040, 16, 0);
    MemoryLimit small = new MemoryLimit(MIB, MemoryLimit.Source.MACHINE);
    MemoryBudget said = new MemoryBudget(Optional.empty(), Optional.of(10 * MIB), small);

    assertThat(said.plan(needs, 8192, 64).blocks()).isEqualTo(28);
    assertThatThrownBy(() ->
            new MemoryBudget(Optional.of(470 * MIB), Optional.of(10 * MIB), small)
                .plan(needs, 8192, 64))
        .hasMessageStartingWith("memory: 470.0 MiB (expected: at least 472.8 MiB: ")
        .hasMessageContaining("the KV cache of kv-cache.memory 9.8 MiB");
    assertThatThrownBy(() ->
            new MemoryBudget(Optional.empty(), Optional.of(1000L), small).plan(needs, 8192, 64))
        .hasMessage("kv-cache.memory: 1000 B (expected: at least a block of 16 tokens, 360.0 KiB)");
  }

  @Example
  void describesItself() {
    MemoryPlan plan = new MemoryPlan(163 * MIB, 300 * MIB, 23_040, 16, 1000);

    assertThat(plan.describe(List.of(2048)))
        .isEqualTo(
            "814.6 MiB: weights 163.0 MiB, working memory up to 300.0 MiB, KV cache 351.6 MiB"
                + " (22.5 KiB a token, 1000 blocks of 16): 7 requests of 2048 tokens");
  }
}
