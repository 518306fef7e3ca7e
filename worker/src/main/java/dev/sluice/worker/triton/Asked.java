package dev.sluice.worker.triton;

import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.sampling.SamplingParams;

/**
 * What a request asks of the model.
 *
 * @param maxTokens most output tokens: the task's, or what fits the context
 */
record Asked(GenerationTask task, int maxTokens) {
  SamplingParams sampling() {
    return task.sampling();
  }
}
