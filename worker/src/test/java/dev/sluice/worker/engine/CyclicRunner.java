package dev.sluice.worker.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicInteger;

/** Says 0, 1, ... 9, 0, 1, ...: each token but the last of them is followed by the next number. */
record CyclicRunner(ModelRunner.Geometry geometry, AtomicInteger steps, MemorySegment logits)
    implements ModelRunner {
  CyclicRunner(ModelRunner.Geometry geometry, AtomicInteger steps) {
    long floats = (long) geometry.maxLogits() * geometry.vocabularySize();
    this(geometry, steps, Arena.ofAuto().allocate(ValueLayout.JAVA_FLOAT, floats));
  }

  @Override
  public boolean copiesBlocks() {
    return false;
  }

  @Override
  public void execute(StepBatch batch) {
    steps.incrementAndGet();
    logits.fill((byte) 0);
    for (int row = 0; row < batch.logits(); row++) {
      int next = (batch.tokenIds()[batch.logitRows()[row]] + 1) % 10;
      long index = (long) row * geometry.vocabularySize() + next;
      logits.setAtIndex(ValueLayout.JAVA_FLOAT, index, 1);
    }
  }

  @Override
  public void close() {}
}
