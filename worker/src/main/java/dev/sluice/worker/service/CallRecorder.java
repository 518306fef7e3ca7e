package dev.sluice.worker.service;

import dev.sluice.v1.FinishReason;
import dev.sluice.worker.engine.GenerationSummary;
import io.grpc.Status;

/**
 * Hears how a request ended, for metrics and traces. Called once, before the call is closed.
 *
 * <p>Threading: the stream's thread.
 */
interface CallRecorder {
  void completed(FinishReason reason, GenerationSummary summary, int outputTokens);

  void failed(Status status, GenerationSummary summary, int outputTokens);
}
