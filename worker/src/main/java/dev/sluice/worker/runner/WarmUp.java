package dev.sluice.worker.runner;

import dev.sluice.worker.engine.StepBatch;

/** Steps like those that will come, run until the just-in-time compiler has seen enough of them. */
final class WarmUp {
  private final OrtModelRunner runner;

  WarmUp(OrtModelRunner runner) {
    this.runner = runner;
  }

  void run() {
    for (int i = 0; i < 60; i++) {
      step(1, 48, 40);
      step(4, 1, 100 + i);
    }
    step(1, 64, 500);
  }

  private void step(int sequences, int tokens, int past) {
    StepBatch batch = new StepBatch(runner.geometry());
    int n = runner.geometry().blocksFor(tokens + past);
    batch.begin(n);
    int[] blocks = new int[n];
    for (int s = 0; s < sequences; s++) {
      for (int b = 0; b < n; b++) {
        blocks[b] = b + s * n;
      }
      batch.addSequence(past, blocks, n);
      for (int t = 0; t < tokens; t++) {
        batch.addToken(t);
      }
      batch.addLogits();
    }
    runner.execute(batch);
  }
}
