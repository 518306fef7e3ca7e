package dev.sluice.worker.service;

import dev.sluice.v1.FinishReason;
import dev.sluice.worker.engine.GenerationSummary;
import io.grpc.Status;
import java.util.List;

/**
 * Hears how a request ended, for metrics and traces. Called once, before the call is closed.
 *
 * <p>Threading: the stream's thread.
 */
interface CallRecorder {
  /**
   * It ended well.
   *
   * @param reasons of the choices that ended here
   */
  void completed(List<FinishReason> reasons, GenerationSummary summary, int outputTokens);

  void failed(Status status, GenerationSummary summary, int outputTokens);
}
