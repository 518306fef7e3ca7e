package dev.sluice.router.proxy;

import io.grpc.Metadata;
import io.grpc.Status;

/** How a worker ended a call without answering it. */
record Failure(String worker, Status status, Metadata trailers) {
  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  /** Whether the worker itself told why, rather than the connection to it. */
  boolean explained() {
    return trailers.containsKey(DETAILS);
  }

  /** For people. */
  String text() {
    String description = status.getDescription();
    return status.getCode() + (description == null ? "" : ": " + description);
  }
}
