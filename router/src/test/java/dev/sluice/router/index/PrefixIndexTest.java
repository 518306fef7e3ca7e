package dev.sluice.router.index;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class PrefixIndexTest {
  private static final int BLOCK = 4;

  private final PrefixIndex index = index(1 << 20, Duration.ZERO);

  private static PrefixIndex index(int maxBlocks, Duration recentTime) {
    return new PrefixIndex(new IndexOptions(maxBlocks, recentTime));
  }

  /** A prompt of so many blocks that agrees with others of the same family up to {@code common}. */
  private static BlockHashes prompt(int family, int common, int own, int blocks) {
    int[] tokens = new int[blocks * BLOCK];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = i < common * BLOCK ? 31 * family + i : 1_000_000 + 31 * own + i;
    }
    return BlockHashes.of(tokens, BLOCK, "");
  }

  private static ByteString bytes(BlockHashes prompt, int from, int to) {
    ByteBuffer bytes = ByteBuffer.allocate(16 * (to - from));
    for (int block = from; block < to; block++) {
      bytes.putLong(prompt.high(block)).putLong(prompt.low(block));
    }
    return ByteString.copyFrom(bytes.array());
  }

  private static WorkerBlocks with(PrefixIndex index, BlockHashes prompt, int blocks) {
    WorkerBlocks worker = index.join();
    worker.begin();
    worker.store(bytes(prompt, 0, blocks));
    worker.complete();
    return worker;
  }

  private static int[] depths(PrefixIndex index, BlockHashes prompt, WorkerBlocks... workers) {
    return depthsAt(index, prompt, 0, workers);
  }

  private static int[] depthsAt(
      PrefixIndex index, BlockHashes prompt, long nanos, WorkerBlocks... workers) {
    int[] depths = new int[workers.length];
    index.overlaps(prompt, workers, depths, nanos);
    return depths;
  }

  @Test
  void tellsForEachWorkerHowMuchOfThePromptItHas() {
    BlockHashes prompt = prompt(1, 10, 0, 10);
    WorkerBlocks all = with(index, prompt, 10);
    WorkerBlocks some = with(index, prompt, 3);
    WorkerBlocks none = with(index, prompt(2, 10, 0, 10), 10);
    assertThat(depths(index, prompt, none, some, all)).containsExactly(0, 3, 10);
    assertThat(depths(index, prompt(1, 5, 7, 10), none, some, all)).containsExactly(0, 3, 5);
    assertThat(depths(index, prompt, some)).containsExactly(3);
    assertThat(depths(index, BlockHashes.NONE, some, all)).containsExactly(0, 0);
    assertThat(index.blocks()).isEqualTo(20);
  }

  @Test
  void anotherSaltOrBlockSizeIsAnotherPrompt() {
    int[] tokens = new int[40];
    WorkerBlocks worker = with(index, BlockHashes.of(tokens, BLOCK, "a"), 10);
    assertThat(depths(index, BlockHashes.of(tokens, BLOCK, "a"), worker)).containsExactly(10);
    assertThat(depths(index, BlockHashes.of(tokens, BLOCK, "b"), worker)).containsExactly(0);
    assertThat(depths(index, BlockHashes.of(tokens, 8, "a"), worker)).containsExactly(0);
  }

  @Test
  void aHoleEndsThePrefix() {
    BlockHashes prompt = prompt(1, 10, 0, 10);
    WorkerBlocks worker = with(index, prompt, 10);
    worker.remove(bytes(prompt, 4, 5));
    assertThat(depths(index, prompt, worker)).containsExactly(4);
    worker.store(bytes(prompt, 4, 5));
    assertThat(depths(index, prompt, worker)).containsExactly(10);
  }

  @Test
  void aWorkerCountsAsEmptyUntilAllIsTold() {
    BlockHashes prompt = prompt(1, 10, 0, 10);
    WorkerBlocks worker = index.join();
    assertThat(depths(index, prompt, worker)).containsExactly(0);
    worker.begin();
    worker.store(bytes(prompt, 0, 6));
    assertThat(depths(index, prompt, worker)).containsExactly(0);
    worker.store(bytes(prompt, 6, 10));
    worker.complete();
    assertThat(depths(index, prompt, worker)).containsExactly(10);
    worker.begin();
    assertThat(depths(index, prompt, worker)).containsExactly(0);
    worker.complete();
    assertThat(depths(index, prompt, worker)).containsExactly(0);
    assertThat(index.blocks()).isZero();
  }

  @Test
  void whatAWorkerHadGoesWithItAndOthersKeepTheirs() {
    BlockHashes prompt = prompt(1, 50, 0, 50);
    WorkerBlocks stays = with(index, prompt, 20);
    WorkerBlocks goes = with(index, prompt, 50);
    WorkerBlocks cleared = with(index, prompt, 30);
    goes.close();
    cleared.clear();
    assertThat(depths(index, prompt, stays, goes, cleared)).containsExactly(20, 0, 0);
    assertThat(index.blocks()).isEqualTo(20);
    cleared.store(bytes(prompt, 0, 2));
    assertThat(depths(index, prompt, stays, goes, cleared)).containsExactly(20, 0, 2);
    for (int i = 0; i < 300; i++) { // slots are used again
      with(index, prompt, 1).close();
    }
    assertThat(depths(index, prompt, stays, cleared)).containsExactly(20, 2);
  }

  @Test
  void aFullIndexStaysTrueAndTakesMoreWhenThereIsRoom() {
    PrefixIndex small = index(100, Duration.ZERO);
    BlockHashes first = prompt(1, 80, 0, 80);
    BlockHashes second = prompt(2, 80, 0, 80);
    WorkerBlocks a = with(small, first, 80);
    WorkerBlocks b = with(small, second, 80);
    assertThat(small.blocks()).isEqualTo(100);
    assertThat(small.dropped()).isEqualTo(60);
    assertThat(depths(small, first, a, b)).containsExactly(80, 0);
    assertThat(depths(small, second, a, b)).containsExactly(0, 20);
    b.store(bytes(first, 0, 80)); // what is there already costs nothing
    assertThat(depths(small, first, a, b)).containsExactly(80, 80);
    b.remove(bytes(second, 0, 80));
    assertThat(small.blocks()).isEqualTo(80);
    b.store(bytes(second, 0, 10));
    assertThat(depths(small, second, a, b)).containsExactly(0, 10);
  }

  @Test
  void whatWasJustDispatchedCountsForAWhile() {
    long second = 1_000_000_000L;
    PrefixIndex recent = index(1_000, Duration.ofSeconds(5));
    BlockHashes prompt = prompt(1, 20, 0, 30);
    WorkerBlocks a = with(recent, prompt, 4);
    WorkerBlocks b = with(recent, prompt, 0);
    recent.dispatched(prompt, b, 10 * second);
    assertThat(depthsAt(recent, prompt, 10 * second, a, b)).containsExactly(4, 30);
    BlockHashes sibling = prompt(1, 20, 9, 30);
    assertThat(depthsAt(recent, sibling, 14 * second, a, b)).containsExactly(4, 20);
    recent.dispatched(sibling, a, 14 * second);
    assertThat(depthsAt(recent, sibling, 14 * second, a, b)).containsExactly(30, 20);
    assertThat(depthsAt(recent, sibling, 17 * second, a, b)).containsExactly(30, 0);
    assertThat(depthsAt(recent, sibling, 30 * second, a, b)).containsExactly(4, 0);
  }

  @Test
  void aRecentPromptGoesOnWhereTheCacheEnds() {
    PrefixIndex recent = index(1_000, Duration.ofSeconds(5));
    BlockHashes prompt = prompt(1, 30, 0, 30);
    WorkerBlocks[] workers = new WorkerBlocks[8];
    for (int i = 0; i < workers.length; i++) {
      workers[i] = with(recent, prompt, 10);
    }
    // More than the four whose prompts are remembered per block share the first ten.
    for (int i = 0; i < workers.length; i++) {
      recent.dispatched(prompt(1, 10, i, 20), workers[i], i);
    }
    for (int i = 0; i < workers.length; i++) {
      assertThat(depthsAt(recent, prompt(1, 10, i, 20), 10, workers)[i]).isEqualTo(20);
    }
  }

  /** Against sets of blocks per worker, over random changes. */
  @Test
  void agreesWithAModelOfItself() {
    Random random = new Random(5);
    List<BlockHashes> prompts = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      prompts.add(prompt(i % 5, random.nextInt(25), i, 1 + random.nextInt(40)));
    }
    WorkerBlocks[] workers = new WorkerBlocks[70];
    Map<WorkerBlocks, Set<Long>> model = new HashMap<>();
    for (int w = 0; w < workers.length; w++) {
      workers[w] = with(index, prompts.getFirst(), 0);
      model.put(workers[w], new HashSet<>());
    }
    for (int round = 0; round < 20_000; round++) {
      WorkerBlocks worker = workers[random.nextInt(workers.length)];
      Set<Long> has = requireNonNull(model.get(worker));
      BlockHashes prompt = prompts.get(random.nextInt(prompts.size()));
      int from = random.nextInt(prompt.count());
      int to = from + 1 + random.nextInt(prompt.count() - from);
      int what = random.nextInt(200);
      if (what == 0) {
        worker.clear();
        has.clear();
      } else if (what < 110) {
        worker.store(bytes(prompt, 0, to));
        for (int block = 0; block < to; block++) {
          has.add(prompt.high(block));
        }
      } else {
        worker.remove(bytes(prompt, from, to));
        for (int block = from; block < to; block++) {
          has.remove(prompt.high(block));
        }
      }
      if (round % 50 == 0) {
        int[] depths = depths(index, prompt, workers);
        for (int w = 0; w < workers.length; w++) {
          Set<Long> kept = requireNonNull(model.get(workers[w]));
          int depth = 0;
          while (depth < prompt.count() && kept.contains(prompt.high(depth))) {
            depth++;
          }
          assertThat(depths[w]).isEqualTo(depth);
        }
      }
    }
    Set<Long> all = new HashSet<>();
    model.values().forEach(all::addAll);
    assertThat(index.blocks()).isEqualTo(all.size());
  }

  /** What does not change is seen whole, while everything around it comes and goes. */
  @Test
  void readersSeeWhatStaysWhileOtherBlocksChange() throws InterruptedException {
    BlockHashes steady = prompt(1, 64, 0, 64);
    WorkerBlocks has = with(index, steady, 64);
    WorkerBlocks never = with(index, prompt(2, 8, 0, 8), 8);
    WorkerBlocks churns = with(index, steady, 0);
    AtomicBoolean over = new AtomicBoolean();
    List<String> wrong = new ArrayList<>(); // guarded by itself
    Thread reader =
        Thread.ofPlatform()
            .start(() -> {
              while (!over.get()) {
                int[] depths = depths(index, steady, has, never, churns);
                if (depths[0] != 64 || depths[1] != 0 || depths[2] > 64) {
                  synchronized (wrong) {
                    wrong.add(depths[0] + " " + depths[1] + " " + depths[2]);
                  }
                }
              }
            });
    for (int round = 0; round < 300; round++) {
      BlockHashes other = prompt(3 + round, 64, round, 64);
      churns.store(bytes(other, 0, 64));
      churns.store(bytes(steady, 0, round % 64));
      churns.remove(bytes(other, 0, 64));
      if (round % 50 == 0) {
        churns.clear();
      }
    }
    over.set(true);
    reader.join();
    synchronized (wrong) {
      assertThat(wrong).isEmpty();
    }
  }
}
