package dev.sluice.worker.runner;

import dev.sluice.worker.engine.ModelRunner;
import dev.sluice.worker.engine.StepBatch;

/** Drives one or several sequences through a runner, step by step. */
final class SequenceDriver {
  private final ModelRunner runner;
  private final StepBatch batch;
  private final int width;
  private final int[][] blocks;
  private final int[] lengths;

  /**
   * @param sequences each gets its own blocks, as many as {@code maxLength} needs
   */
  SequenceDriver(ModelRunner runner, int sequences, int maxLength) {
    this.runner = runner;
    this.batch = new StepBatch(runner.geometry());
    this.width = runner.geometry().blocksFor(maxLength);
    this.lengths = new int[sequences];
    this.blocks = new int[sequences][width];
    int next = runner.geometry().blocks() - 1;
    for (int[] row : blocks) {
      for (int b = 0; b < width; b++) {
        row[b] = next--;
      }
    }
  }

  /** Starts a step. */
  SequenceDriver begin() {
    batch.begin(width);
    return this;
  }

  /** Adds a sequence's next tokens to the step; the logits of the last are asked for. */
  SequenceDriver add(int sequence, int... tokens) {
    batch.addSequence(lengths[sequence], blocks[sequence], width);
    for (int token : tokens) {
      batch.addToken(token);
    }
    batch.addLogits();
    lengths[sequence] += tokens.length;
    return this;
  }

  /** Adds a sequence's next tokens to the step; the logits of all are asked for. */
  SequenceDriver addAll(int sequence, int... tokens) {
    batch.addSequence(lengths[sequence], blocks[sequence], width);
    for (int token : tokens) {
      batch.addToken(token);
      batch.addLogits();
    }
    lengths[sequence] += tokens.length;
    return this;
  }

  /** Executes the step; returns the rows of logits in the order asked for. */
  float[][] execute() {
    runner.execute(batch);
    float[][] rows = new float[batch.logits()][runner.geometry().vocabularySize()];
    for (int row = 0; row < rows.length; row++) {
      runner.readLogits(row, rows[row]);
    }
    return rows;
  }

  static int argmax(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }

  /** The log-probability of a token. */
  static double logprob(float[] logits, int token) {
    double max = logits[argmax(logits)];
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    return logits[token] - max - Math.log(sum);
  }
}
