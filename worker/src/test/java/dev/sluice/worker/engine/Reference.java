package dev.sluice.worker.engine;

import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.runner.SimulatedModelRunner;
import dev.sluice.worker.runner.SimulatedModelRunner.StepHook;
import dev.sluice.worker.sampling.DecodingState;
import dev.sluice.worker.sampling.Sampler;
import java.util.ArrayList;
import java.util.List;

/** Generates without engine, scheduler or pool: what a task's output has to be. */
final class Reference {
  private Reference() {}

  /** The output of a task that runs alone, with room for everything. */
  static List<Integer> output(GenerationTask task, int maxTokens, int vocabularySize) {
    return output(task, 0, maxTokens, vocabularySize);
  }

  /** The output of one choice of such a task. */
  static List<Integer> output(GenerationTask task, int choice, int maxTokens, int vocabularySize) {
    int[] prompt = task.promptTokens();
    int most = prompt.length + maxTokens;
    Geometry geometry = new Geometry(vocabularySize, most, 4, Math.ceilDiv(most, 4), most, 1);
    int[] blocks = new int[geometry.blocks()];
    for (int i = 0; i < blocks.length; i++) {
      blocks[i] = blocks.length - 1 - i;
    }
    List<Integer> output = new ArrayList<>();
    try (SimulatedModelRunner runner = new SimulatedModelRunner(geometry, StepHook.NONE)) {
      StepBatch batch = new StepBatch(geometry);
      Sampler sampler = new Sampler(vocabularySize, vocabularySize);
      DecodingState state = task.newDecodingState();
      int past = 0;
      int[] next = prompt;
      while (output.size() < maxTokens) {
        batch.begin(blocks.length);
        batch.addSequence(past, blocks, blocks.length);
        for (int token : next) {
          batch.addToken(token);
        }
        batch.addLogits();
        runner.execute(batch);
        if (output.size() < task.minTokens()) {
          task.banEndings(runner.logits(), 0);
        }
        state.apply(runner.logits(), 0, vocabularySize);
        int token = sampler.sample(runner.logits(), 0, task.sampling(), choice, output.size());
        output.add(token);
        state.accept(token);
        if (task.isEndOfSequence(token) || task.isStopToken(token)) {
          break;
        }
        past += next.length;
        next = new int[] {token};
      }
    }
    return output;
  }

  /** The logits behind each of these tokens, computed at once: [tokens, vocabularySize]. */
  static float[][] logits(int[] tokens, int vocabularySize) {
    Geometry geometry =
        new Geometry(vocabularySize, tokens.length, tokens.length, 1, tokens.length, 1);
    float[][] rows = new float[tokens.length][vocabularySize];
    try (SimulatedModelRunner runner = new SimulatedModelRunner(geometry, StepHook.NONE)) {
      StepBatch batch = new StepBatch(geometry);
      batch.begin(1);
      batch.addSequence(0, new int[] {0}, 1);
      for (int token : tokens) {
        batch.addToken(token);
        batch.addLogits();
      }
      runner.execute(batch);
      for (int row = 0; row < rows.length; row++) {
        runner.readLogits(row, rows[row]);
      }
    }
    return rows;
  }
}
