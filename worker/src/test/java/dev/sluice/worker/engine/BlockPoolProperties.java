package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class BlockPoolProperties {
  /** A sequence as the naive model sees it. */
  private static final class Owner {
    final BlockTable table = new BlockTable();
    int tokens;
  }

  @Property(tries = 300, seed = "1")
  void behavesLikeASetOfFreeBlocks(
      @ForAll @IntRange(min = 1, max = 40) int blocks,
      @ForAll @IntRange(min = 1, max = 7) int blockSize,
      @ForAll long seed) {
    Random random = new Random(seed);
    BlockPool pool = new BlockPool(blocks, blockSize);
    List<Owner> owners = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      int owned = owners.stream().mapToInt(owner -> owner.table.size()).sum();
      switch (random.nextInt(4)) {
        case 0 -> {
          int tokens = 1 + random.nextInt(3 * blockSize);
          int spare = random.nextInt(3);
          int needed = (tokens + blockSize - 1) / blockSize;
          boolean can = blocks - owned - needed >= spare;
          assertThat(pool.canAllocate(tokens, spare)).isEqualTo(can);
          if (can) {
            Owner owner = new Owner();
            owner.tokens = tokens;
            pool.allocate(owner.table, tokens);
            assertThat(owner.table.size()).isEqualTo(needed);
            owners.add(owner);
          }
        }
        case 1, 2 -> {
          if (!owners.isEmpty()) {
            Owner owner = owners.get(random.nextInt(owners.size()));
            boolean hasPlace = owner.tokens % blockSize != 0;
            boolean can = hasPlace || owned < blocks;
            assertThat(pool.canAppend(owner.table, owner.tokens + 1)).isEqualTo(can);
            if (can) {
              pool.append(owner.table, ++owner.tokens);
            }
          }
        }
        default -> {
          if (!owners.isEmpty()) {
            pool.free(owners.remove(random.nextInt(owners.size())).table);
          }
        }
      }
      verify(pool, owners, blocks, blockSize);
    }
    owners.forEach(owner -> pool.free(owner.table));
    assertThat(pool.free()).isEqualTo(blocks);
    pool.checkIntegrity(List.of());
  }

  private static void verify(BlockPool pool, List<Owner> owners, int blocks, int blockSize) {
    Set<Integer> seen = new HashSet<>();
    for (Owner owner : owners) {
      assertThat(owner.table.size()).isEqualTo((owner.tokens + blockSize - 1) / blockSize);
      for (int i = 0; i < owner.table.size(); i++) {
        int block = owner.table.blocks()[i];
        assertThat(block).isBetween(0, blocks - 1);
        assertThat(seen.add(block)).as("block %s is given out once", block).isTrue();
      }
    }
    assertThat(pool.owned()).isEqualTo(seen.size());
    assertThat(pool.free()).isEqualTo(blocks - seen.size());
    pool.checkIntegrity(owners.stream().map(owner -> owner.table).toList());
  }

  @Example
  void refusesWhatItHasNot() {
    BlockPool pool = new BlockPool(2, 4);
    BlockTable table = new BlockTable();
    assertThatIllegalStateException()
        .isThrownBy(() -> pool.allocate(table, 9))
        .withMessage("no free block of 2");
  }

  @Example
  void auditNoticesABlockThatNobodyHolds() {
    BlockPool pool = new BlockPool(3, 4);
    pool.allocate(new BlockTable(), 4);
    assertThatIllegalStateException()
        .isThrownBy(() -> pool.checkIntegrity(List.of()))
        .withMessage("references: [1, 0, 0] (expected: [0, 0, 0])");
  }

  @Example
  void auditNoticesABlockThatTwoHold() {
    BlockPool pool = new BlockPool(3, 4);
    BlockTable table = new BlockTable();
    pool.allocate(table, 4);
    assertThatIllegalStateException()
        .isThrownBy(() -> pool.checkIntegrity(List.of(table, table)))
        .withMessage("references: [1, 0, 0] (expected: [2, 0, 0])");
  }

  @Example
  void freeingTwiceIsNoticed() {
    BlockPool pool = new BlockPool(3, 4);
    BlockTable table = new BlockTable();
    pool.allocate(table, 4);
    BlockTable copy = new BlockTable();
    copy.push(table.blocks()[0]);
    pool.free(table);
    assertThatIllegalStateException()
        .isThrownBy(() -> pool.free(copy))
        .withMessage("block 0 is freed but not owned");
  }
}
