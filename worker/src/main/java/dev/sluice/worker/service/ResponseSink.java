package dev.sluice.worker.service;

import dev.sluice.v1.GenerateResponse;
import io.grpc.StatusRuntimeException;

/**
 * Where the messages of one request go.
 *
 * <p>Threading: one thread, the stream's.
 */
interface ResponseSink {
  /** Whether the client keeps up; if not, a wake-up follows once it does. */
  boolean isReady();

  void send(GenerateResponse response);

  /** Ends the call well. */
  void complete();

  /** Ends the call with a status. */
  void fail(StatusRuntimeException status);
}
