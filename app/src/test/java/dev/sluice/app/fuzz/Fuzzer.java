package dev.sluice.app.fuzz;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Gives a target input after input, and holds each to a time and a memory limit.
 *
 * <p>Threading: inputs are taken on a thread of their own, so that one that hangs is noticed.
 */
final class Fuzzer {
  /** How many inputs each target gets; the campaign sets it. */
  static final int INPUTS = Integer.getInteger("sluice.fuzz.inputs", 400);

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final Duration LONGEST = Duration.ofSeconds(20);
  private static final long MOST_BYTES = 512L << 20;
  private static final int SHOWN = 2_000;

  private Fuzzer() {}

  /** What came of it. */
  record Result(int right, int refused) {}

  private static final class Run implements Runnable {
    private final FuzzTarget target;
    private final Mutator mutator;
    private final int inputs;
    private final AtomicReference<Throwable> finding = new AtomicReference<>();
    private volatile byte[] input = {};
    private volatile long startNanos = System.nanoTime();
    private int right; // its thread, until that has ended
    private volatile int done; // one writer: its thread

    Run(FuzzTarget target, int inputs, long seed) {
      this.target = target;
      this.inputs = inputs;
      mutator =
          new Mutator(
              seed,
              target.seeds().stream().map(s -> s.getBytes(StandardCharsets.UTF_8)).toList(),
              target.dictionary());
    }

    @Override
    public void run() {
      try {
        for (String sound : target.seeds()) {
          if (!target.take(sound.getBytes(StandardCharsets.UTF_8))) {
            throw new AssertionError("a seed is refused: " + sound);
          }
        }
        for (int i = 0; i < inputs; i++) {
          done = i;
          take(mutator.next());
        }
      } catch (Throwable e) { // stack overflows and exhausted memory are findings, too
        finding.set(e);
      }
    }

    private void take(byte[] next) throws Exception {
      input = next;
      startNanos = System.nanoTime();
      long before = THREADS.getCurrentThreadAllocatedBytes();
      if (target.take(next)) {
        right++;
      }
      long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
      if (allocated > MOST_BYTES) {
        throw new AssertionError(
            allocated + " bytes allocated (expected: at most " + MOST_BYTES + ")");
      }
    }
  }

  /**
   * Runs a target.
   *
   * @throws AssertionError with the input of the first finding
   */
  static Result run(FuzzTarget target, int inputs, long seed) throws InterruptedException {
    Run run = new Run(target, inputs, seed);
    Thread thread = Thread.ofPlatform().daemon().name("fuzz").start(run);
    while (!thread.join(Duration.ofSeconds(1))) {
      Duration taken = Duration.ofNanos(System.nanoTime() - run.startNanos);
      if (taken.compareTo(LONGEST) > 0) {
        AssertionError slow = new AssertionError(found(run, "takes over " + LONGEST));
        slow.setStackTrace(thread.getStackTrace());
        throw slow;
      }
    }
    Throwable finding = run.finding.get();
    if (finding != null) {
      throw new AssertionError(found(run, finding.toString()), finding);
    }
    return new Result(run.right, inputs - run.right);
  }

  private static String found(Run run, String what) {
    byte[] input = run.input;
    String text =
        new String(Arrays.copyOf(input, Math.min(SHOWN, input.length)), StandardCharsets.UTF_8);
    return "input " + run.done + " of " + input.length + " bytes " + what + "\n" + text;
  }
}
