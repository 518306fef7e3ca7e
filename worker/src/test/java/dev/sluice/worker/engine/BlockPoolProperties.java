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
import org.jspecify.annotations.Nullable;

/**
 * Each try makes 100 random operations. Millions of them take
 *
 * <pre>
 *   mvn -pl worker -am test -Dtest=BlockPoolProperties -Dsurefire.failIfNoSpecifiedTests=false \
 *       -Djqwik.tries.default=100000
 * </pre>
 */
class BlockPoolProperties {
  private static final int OPERATIONS = 100;

  /** A sequence in the pool beside the same one in the naive model. */
  private static final class Pair {
    final BlockTable table = new BlockTable();
    final NaivePool.Owner naive;
    final BlockHashes hashes;

    Pair(NaivePool.Owner naive, BlockHashes hashes) {
      this.naive = naive;
      this.hashes = hashes;
    }

    int[] tokens() {
      return naive.path.stream().skip(1).mapToInt(Integer::intValue).toArray();
    }
  }

  /** The pool, the model, and the memory that the blocks stand for. */
  private static final class World {
    final int blockSize;
    final CacheJournal journal = new CacheJournal();
    final BlockPool pool;
    final NaivePool naive;
    final BlockCopies copies = new BlockCopies(1);
    final List<Pair> pairs = new ArrayList<>();
    final long[][] memory; // [blocks, blockSize]; what was written: position, token, salt
    final Random random;

    World(int blocks, int blockSize, boolean keepsIdle, long seed) {
      this.blockSize = blockSize;
      this.pool = new BlockPool(blocks, blockSize, keepsIdle, journal);
      this.naive = new NaivePool(blocks, blockSize, keepsIdle);
      this.memory = new long[blocks][blockSize];
      this.random = new Random(seed);
    }

    void step() {
      switch (random.nextInt(8)) {
        case 0, 1 -> start();
        case 2, 3 -> compute();
        case 4, 5 -> append();
        case 6 -> fork();
        default -> {
          if (!pairs.isEmpty()) {
            Pair pair = pairs.remove(random.nextInt(pairs.size()));
            pool.free(pair.table);
            naive.free(pair.naive);
          }
        }
      }
    }

    private void start() {
      NaivePool.Owner owner = new NaivePool.Owner();
      int salt = random.nextInt(2);
      owner.path.add(salt);
      int length = 1 + random.nextInt(5 * blockSize);
      for (int i = 0; i < length; i++) {
        owner.path.add(random.nextInt(12) == 0 ? random.nextInt(3) : 0); // most begin alike
      }
      Pair pair = new Pair(owner, new BlockHashes("salt" + salt, blockSize));
      int[] tokens = pair.tokens();
      pair.hashes.extend(tokens, length);
      int spare = random.nextInt(3);
      boolean can = naive.canAllocate(owner, spare);
      assertThat(pool.canAllocate(tokens, length, pair.hashes, spare)).isEqualTo(can);
      if (can) {
        pool.allocate(pair.table, tokens, length, pair.hashes);
        naive.allocate(owner);
        naive.add(owner);
        pairs.add(pair);
        assertThat(pool.computed(pair.table, 0)).isEqualTo(owner.computed);
        assertThat(owner.computed).isLessThan(length);
      }
    }

    private void compute() {
      Pair pair = any(false);
      if (pair == null) {
        return;
      }
      naive.skip(pair.naive);
      int from = pool.computed(pair.table, pair.naive.computed);
      assertThat(from).isEqualTo(pair.naive.computed);
      if (from == pair.naive.length()) {
        return;
      }
      int count = 1 + random.nextInt(pair.naive.length() - from);
      write(pair, from, from + count);
      pool.commitHashes(pair.table, pair.tokens(), pair.hashes, from, from + count);
      naive.compute(pair.naive, count);
    }

    private void append() {
      Pair pair = any(true);
      if (pair == null) {
        return;
      }
      int length = pair.naive.length();
      boolean can = naive.canAppend(pair.naive);
      assertThat(pool.canAppend(pair.table, length, length + 1, 0)).isEqualTo(can);
      if (can) {
        copies.clear();
        pool.append(pair.table, length, length + 1, copies);
        if (copies.size() > 0) {
          System.arraycopy(memory[copies.from(0)], 0, memory[copies.to(0)], 0, blockSize);
        }
        naive.append(pair.naive, random.nextInt(2));
        pair.hashes.extend(pair.tokens(), length + 1);
        write(pair, length, length + 1);
        pool.commitHashes(pair.table, pair.tokens(), pair.hashes, length, length + 1);
        naive.compute(pair.naive, 1);
      }
    }

    private void fork() {
      Pair pair = any(true);
      if (pair != null && pairs.size() < 12) {
        Pair fork = new Pair(naive.fork(pair.naive), pair.hashes.fork());
        pool.fork(pair.table, fork.table, pair.naive.length());
        pairs.add(fork);
      }
    }

    /** One of the sequences, of those only of which everything is computed if asked. */
    private @Nullable Pair any(boolean complete) {
      List<Pair> candidates =
          pairs.stream()
              .filter(pair -> !complete || pair.naive.computed == pair.naive.length())
              .toList();
      return candidates.isEmpty() ? null : candidates.get(random.nextInt(candidates.size()));
    }

    private void write(Pair pair, int from, int to) {
      for (int position = from; position < to; position++) {
        int block = pair.table.blocks()[position / blockSize];
        assertThat(pool.cache().isFull(block)).as("full blocks are not written to").isFalse();
        memory[block][position % blockSize] = content(pair, position);
      }
    }

    /** Everything that K and V of a token depend on: all tokens up to it. */
    private static long content(Pair pair, int position) {
      long content = 1;
      for (int i = 0; i <= position + 1; i++) {
        content = content * 0x9E3779B97F4A7C15L + pair.naive.path.get(i) + 1;
      }
      return content;
    }

    void verify() {
      assertThat(pool.owned()).isEqualTo(naive.owned());
      assertThat(pool.cached()).isEqualTo(naive.cached());
      assertThat(pool.free()).isEqualTo(naive.free());
      for (Pair pair : pairs) {
        assertThat(pair.table.size()).isEqualTo(pair.naive.blocks());
        for (int position = 0; position < pair.naive.computed; position++) {
          int block = pair.table.blocks()[position / blockSize];
          if (memory[block][position % blockSize] != content(pair, position)) {
            throw new AssertionError("token " + position + " has another one's content");
          }
        }
      }
      pool.checkIntegrity(pairs.stream().map(pair -> pair.table).toList());
    }

    /** What a reader of the journal believes to be in the cache. */
    Set<List<Long>> replayed() {
      Set<List<Long>> hashes = new HashSet<>();
      assertThat(
              journal.read(
                  0,
                  (high, low, stored) -> {
                    assertThat(
                            stored
                                ? hashes.add(List.of(high, low))
                                : hashes.remove(List.of(high, low)))
                        .isTrue();
                  }))
          .isPresent();
      return hashes;
    }
  }

  @Property
  void behavesAsTheNaiveModel(
      @ForAll @IntRange(min = 5, max = 30) int blocks,
      @ForAll @IntRange(min = 1, max = 6) int blockSize,
      @ForAll boolean keepsIdle,
      @ForAll long seed) {
    World world = new World(blocks, blockSize, keepsIdle, seed);
    for (int i = 0; i < OPERATIONS; i++) {
      world.step();
      world.verify();
    }
    Set<List<Long>> hashes = new HashSet<>();
    long[] words = world.pool.cache().hashes();
    for (int i = 0; i < words.length; i += 2) {
      hashes.add(List.of(words[i], words[i + 1]));
    }
    assertThat(world.replayed()).isEqualTo(hashes);
    world.pairs.forEach(pair -> world.pool.free(pair.table));
    assertThat(world.pool.available()).isEqualTo(blocks);
    world.pool.checkIntegrity(List.of());
  }

  private static BlockPool pool(int blocks, int blockSize) {
    return new BlockPool(blocks, blockSize, true, new CacheJournal());
  }

  private static BlockTable allocate(BlockPool pool, int... tokens) {
    return allocate(pool, "", tokens);
  }

  private static BlockTable allocate(BlockPool pool, String salt, int... tokens) {
    BlockTable table = new BlockTable();
    pool.allocate(table, tokens, tokens.length, hashes(pool, salt, tokens));
    return table;
  }

  private static void compute(BlockPool pool, BlockTable table, int... tokens) {
    pool.commitHashes(table, tokens, hashes(pool, "", tokens), 0, tokens.length);
  }

  private static BlockHashes hashes(BlockPool pool, String salt, int... tokens) {
    BlockHashes hashes = new BlockHashes(salt, pool.blockSize());
    hashes.extend(tokens, tokens.length);
    return hashes;
  }

  @Example
  void refusesWhatItHasNot() {
    BlockPool pool = pool(2, 4);
    assertThatIllegalStateException()
        .isThrownBy(() -> allocate(pool, 1, 2, 3, 4, 5, 6, 7, 8, 9))
        .withMessage("no block available of 2");
  }

  @Example
  void blocksAreFoundAtEveryBorderAndOnlyWithTheSameSalt() {
    BlockPool pool = pool(8, 2);
    BlockTable first = allocate(pool, 1, 2, 3, 4, 5, 6);
    compute(pool, first, 1, 2, 3, 4, 5, 6);
    pool.free(first);
    assertThat(pool.computed(allocate(pool, 1, 2, 3, 4, 5, 6), 0)).isEqualTo(4);
    assertThat(pool.computed(allocate(pool, 1, 2, 3, 4, 9, 9), 0)).isEqualTo(4);
    assertThat(pool.computed(allocate(pool, 1, 2, 9), 0)).isEqualTo(2);
    assertThat(pool.computed(allocate(pool, "other", 1, 2, 9), 0)).isZero();
  }

  @Example
  void tailsAreEvictedBeforeHeads() {
    BlockPool pool = pool(3, 1);
    BlockTable first = allocate(pool, 1, 2, 3);
    compute(pool, first, 1, 2, 3);
    pool.free(first);
    assertThat(pool.cached()).isEqualTo(3);
    BlockTable other = allocate(pool, 7);
    assertThat(pool.cached()).isEqualTo(2);
    pool.free(other);
    assertThat(pool.computed(allocate(pool, 1, 2, 3), 0)).isEqualTo(2);
  }

  /** With a hash that says nothing, content is still what decides. */
  @Example
  void collisionsOfHashesFindNothing() {
    PrefixCache cache = new PrefixCache(8, 2, new CacheJournal());
    BlockHashes hashes = new BlockHashes("", 2);
    int[] one = {1, 2, 3, 4};
    int[] two = {5, 6, 3, 4};
    hashes.extend(one, 4);
    cache.enter(0, hashes, 0, PrefixCache.NONE, one);
    cache.enter(1, hashes, 1, 0, one);
    assertThat(cache.find(hashes, 0, PrefixCache.NONE, one)).isZero();
    assertThat(cache.find(hashes, 0, PrefixCache.NONE, two)).isEqualTo(PrefixCache.NONE);
    assertThat(cache.find(hashes, 1, 0, one)).isEqualTo(1);
    assertThat(cache.find(hashes, 1, 5, one)).isEqualTo(PrefixCache.NONE); // not its parent
  }

  @Example
  void auditNoticesABlockThatNobodyHolds() {
    BlockPool pool = pool(3, 4);
    allocate(pool, 1, 2, 3, 4);
    assertThatIllegalStateException()
        .isThrownBy(() -> pool.checkIntegrity(List.of()))
        .withMessage("references: [1, 0, 0] (expected: [0, 0, 0])");
  }

  @Example
  void auditNoticesABlockThatTwoHold() {
    BlockPool pool = pool(3, 4);
    BlockTable table = allocate(pool, 1, 2, 3, 4);
    assertThatIllegalStateException()
        .isThrownBy(() -> pool.checkIntegrity(List.of(table, table)))
        .withMessage("references: [1, 0, 0] (expected: [2, 0, 0])");
  }

  @Example
  void freeingTwiceIsNoticed() {
    BlockPool pool = pool(3, 4);
    BlockTable table = allocate(pool, 1, 2, 3, 4);
    BlockTable copy = new BlockTable();
    copy.push(table.blocks()[0]);
    pool.free(table);
    assertThatIllegalStateException()
        .isThrownBy(() -> pool.free(copy))
        .withMessage("block 0 is freed but not owned");
  }

  @Example
  void journalTellsALateReaderThatItMissedSomething() {
    CacheJournal journal = new CacheJournal();
    for (int i = 0; i <= CacheJournal.CAPACITY; i++) {
      journal.stored(i, i);
    }
    int[] read = {0};
    assertThat(journal.read(0, (_, _, _) -> read[0]++)).isEmpty();
    assertThat(read[0]).isZero();
    assertThat(journal.read(1, (_, _, _) -> read[0]++)).hasValue(CacheJournal.CAPACITY + 1L);
    assertThat(read[0]).isEqualTo(CacheJournal.CAPACITY);
    assertThat(journal.position()).isEqualTo(CacheJournal.CAPACITY + 1L);
  }
}
