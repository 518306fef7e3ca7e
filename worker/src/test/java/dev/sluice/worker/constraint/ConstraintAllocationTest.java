package dev.sluice.worker.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("own-jvm")
class ConstraintAllocationTest {
  private static final int TOKENS = 1000;

  /** Where other outputs have been, masks and steps allocate nothing. */
  @Test
  void knownStatesCostNoMemory() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Constraint constraint =
        TestVocabulary.compile(
            new ConstraintSource.JsonSchema(
                "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"maxLength\":9}}"));
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 200 && least > 0; round++) {
      ConstraintState state = constraint.start();
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < TOKENS; i++) {
        state.accept("[\"ab\",".charAt(i < 1 ? 0 : 1 + (i - 1) % 5));
        if (state.allowed().length == 0 || state.isDone()) {
          throw new AssertionError("the output cannot go on");
        }
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertThat(least).as("bytes for %d tokens", TOKENS).isLessThan(1000);
  }
}
