package dev.sluice.router.proxy;

import io.grpc.Metadata;
import io.grpc.Status;

/** How a worker ended a call without answering it. */
record Failure(String worker, Status status, Metadata trailers) {
  /** Whether the worker itself told why, rather than the connection to it. */
  boolean explained() {
    return Trailers.explain(trailers);
  }

  /** For people. */
  String text() {
    String description = status.getDescription();
    return status.getCode() + (description == null ? "" : ": " + description);
  }
}
