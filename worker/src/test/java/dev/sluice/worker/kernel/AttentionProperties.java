package dev.sluice.worker.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.worker.ort.KernelContext.ParallelBody;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;

/** Attention over random shapes, lengths, block tables and cuts into steps. */
final class AttentionProperties {
  private static final List<KvType> KV_TYPES = List.of(KvType.values());
  private static final int[] HEAD_SIZES = {64, 80, 96, 128, 32};
  private static final int[][] HEADS = {{9, 3}, {4, 4}, {8, 1}, {6, 2}, {14, 2}};

  @Property(tries = 40, seed = "1")
  void agreesWithDoublePrecision(@ForAll @LongRange(min = 0, max = 1 << 30) long seed) {
    Random random = new Random(seed);
    AttentionWorld world = world(random);

    float[][] actual =
        world.run(world.shuffled(random, 50), 2, random.nextBoolean(), this::inThreads);

    assertThat(world.storingError()).isLessThanOrEqualTo(1);
    double[][] expected = world.reference();
    for (int s = 0; s < actual.length; s++) {
      for (int i = 0; i < actual[s].length; i++) {
        assertThat((double) actual[s][i])
            .as("sequence %d, element %d of %s in %s", s, i, world.shape, world.kvType)
            .isCloseTo(expected[s][i], org.assertj.core.data.Offset.offset(2e-5));
      }
    }
  }

  @Property(tries = 40, seed = "2")
  void bitsDoNotDependOnBatchChunksOrThreads(@ForAll @LongRange(min = 0, max = 1 << 30) long seed) {
    Random random = new Random(seed);
    AttentionWorld world = world(random);

    float[][] alone = world.run(world.alone(), 1, true, AttentionProperties::inOrder);

    assertThat(world.run(world.shuffled(random, 100), 1, true, AttentionProperties::inOrder))
        .isEqualTo(alone);
    assertThat(world.run(world.shuffled(random, 5), 3, false, this::inThreads)).isEqualTo(alone);
    assertThat(world.run(world.shuffled(random, 1), 2, true, this::inThreads)).isEqualTo(alone);
  }

  private static AttentionWorld world(Random random) {
    int[] heads = HEADS[random.nextInt(HEADS.length)];
    int headSize = HEAD_SIZES[random.nextInt(HEAD_SIZES.length)];
    AttentionShape shape =
        new AttentionShape(
            heads[0],
            heads[1],
            headSize,
            (float) (1 / Math.sqrt(headSize)),
            random.nextBoolean() ? AttentionShape.NO_WINDOW : 1 + random.nextInt(150),
            1e-5f);
    int[] lengths = new int[1 + random.nextInt(4)];
    for (int s = 0; s < lengths.length; s++) {
      lengths[s] = 1 + random.nextInt(random.nextInt(4) == 0 ? 300 : 40);
    }
    KvType kvType = KV_TYPES.get(random.nextInt(KV_TYPES.size()));
    return new AttentionWorld(shape, kvType, lengths, random.nextBoolean(), random);
  }

  private static void inOrder(int tasks, ParallelBody body) {
    for (int i = 0; i < tasks; i++) {
      body.run(i);
    }
  }

  private void inThreads(int tasks, ParallelBody body) {
    CompletableFuture<?>[] all = new CompletableFuture<?>[tasks];
    for (int i = 0; i < tasks; i++) {
      int task = i;
      all[i] = CompletableFuture.runAsync(() -> body.run(task));
    }
    CompletableFuture.allOf(all).join();
  }
}
