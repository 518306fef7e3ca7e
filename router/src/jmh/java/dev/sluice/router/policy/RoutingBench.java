package dev.sluice.router.policy;

import com.google.protobuf.ByteString;
import dev.sluice.router.fleet.BreakerOptions;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.Foreign;
import dev.sluice.router.fleet.WorkerAddress;
import dev.sluice.router.fleet.WorkerBreaker;
import dev.sluice.router.fleet.WorkerLink;
import dev.sluice.router.fleet.WorkerReport;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.index.BlockHashes;
import dev.sluice.router.index.IndexOptions;
import dev.sluice.router.index.PrefixIndex;
import dev.sluice.router.index.WorkerBlocks;
import dev.sluice.v1.Capabilities;
import dev.sluice.v1.Limits;
import dev.sluice.v1.Load;
import dev.sluice.v1.Model;
import dev.sluice.v1.WorkerIdentity;
import dev.sluice.v1.WorkerState;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One decision of policy {@code cost}, with the charge and the note of what was dispatched, and the
 * same with the hashing of the prompt before. Every worker has 2,000 blocks of its own; of 200
 * prompts that take turns, a quarter of each is cached everywhere, half of it at one worker in
 * eight, all of it at one. Prints the memory of the index at the start of each trial.
 *
 * <p>{@code mvn -q -Pfast,jmh -pl router -am test -DskipTests}
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class RoutingBench {
  private static final int BLOCK = 16;
  private static final int PROMPTS = 200;
  private static final int OWN_BLOCKS = 2_000;

  @Param({"16", "256", "1024"})
  int workers = 16;

  @Param({"512", "4096", "32768"})
  int tokens = 512;

  private final PrefixIndex index =
      new PrefixIndex(new IndexOptions(8 << 20, Duration.ofSeconds(5)));
  private final Selector selector =
      new Selector("cost", new Cost(), index, () -> System.nanoTime() & ~0xFFFFFFL);
  private final List<int[]> prompts = new ArrayList<>();
  private final List<BlockHashes> hashes = new ArrayList<>();
  private FleetSnapshot fleet = new FleetSnapshot(1, List.of());
  private int turn;

  /** Fills the index. */
  @Setup(Level.Trial)
  public void fill() {
    SplittableRandom random = new SplittableRandom(1);
    for (int p = 0; p < PROMPTS; p++) {
      int[] prompt = random.ints(tokens, 0, 100_000).toArray();
      prompts.add(prompt);
      hashes.add(BlockHashes.of(prompt, BLOCK, ""));
    }
    List<WorkerView> views = new ArrayList<>();
    for (int w = 0; w < workers; w++) {
      WorkerBlocks blocks = index.join();
      blocks.begin();
      int[] own = random.ints((long) OWN_BLOCKS * BLOCK, 0, 100_000).toArray();
      store(blocks, BlockHashes.of(own, BLOCK, ""), OWN_BLOCKS);
      for (int p = 0; p < PROMPTS; p++) {
        int count = hashes.get(p).count();
        store(
            blocks,
            hashes.get(p),
            p % workers == w ? count : (p + w) % 8 == 0 ? count / 2 : count / 4);
      }
      blocks.complete();
      views.add(view(w, blocks));
    }
    fleet = new FleetSnapshot(1, views);
    System.out.printf(
        "%n%d workers: %d different blocks, %.1f bytes each%n",
        workers, index.blocks(), (double) index.bytes() / index.blocks());
  }

  private static void store(WorkerBlocks worker, BlockHashes hashes, int count) {
    ByteString.Output bytes = ByteString.newOutput(16 * count);
    for (int i = 0; i < count; i++) {
      for (long half : new long[] {hashes.high(i), hashes.low(i)}) {
        for (int shift = 56; shift >= 0; shift -= 8) {
          bytes.write((int) (half >>> shift));
        }
      }
    }
    worker.store(bytes.toByteString());
  }

  private static WorkerView view(int number, WorkerBlocks blocks) {
    WorkerAddress address = new WorkerAddress("10.0." + number / 250 + "." + number % 250, 9091);
    WorkerReport report =
        new WorkerReport(
            WorkerIdentity.newBuilder().setWorkerId("w" + number).build(),
            Capabilities.getDefaultInstance(),
            Model.newBuilder().setId("m").setBlockSize(BLOCK).build(),
            Limits.newBuilder().setMaxPendingPrefillTokens(1 << 20).build(),
            WorkerState.WORKER_STATE_READY,
            Load.newBuilder().setKvBlocksTotal(10_000).build(),
            1);
    return new WorkerView(
        address,
        WorkerStatus.READY,
        "",
        Optional.of(report),
        1,
        new Foreign(number % 5, 16L * (number % 50), 100 + number % 100),
        new WorkerLink(
            address,
            new NoChannel(),
            new WorkerBreaker("w" + number, BreakerOptions.DEFAULTS, System::nanoTime),
            blocks));
  }

  private Object decide(BlockHashes prompt) {
    Selection selection =
        selector.select(
            fleet,
            new Requirements(
                "m",
                new Affinity(OptionalLong.empty(), OptionalLong.of(turn)),
                tokens,
                prompt,
                false,
                Optional.empty(),
                new Tried()));
    ((Selection.Chosen) selection).charge().release();
    return selection;
  }

  @Benchmark
  public Object decision() {
    turn++;
    return decide(hashes.get(turn % PROMPTS));
  }

  @Benchmark
  public Object hashingAndDecision() {
    turn++;
    return decide(BlockHashes.of(prompts.get(turn % PROMPTS), BLOCK, ""));
  }

  /** Nobody calls. */
  private static final class NoChannel extends Channel {
    @Override
    public <Q, A> ClientCall<Q, A> newCall(MethodDescriptor<Q, A> method, CallOptions options) {
      throw new IllegalStateException("called");
    }

    @Override
    public String authority() {
      return "nobody";
    }
  }
}
