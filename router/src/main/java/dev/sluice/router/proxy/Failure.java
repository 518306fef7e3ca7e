package dev.sluice.router.proxy;

import io.grpc.Metadata;
import io.grpc.Status;

/** How a worker ended a call without answering it. */
record Failure(String worker, FailureKind kind, Status status, Metadata trailers) {

  /**
   * Judges the end of a call that nobody here stopped.
   *
   * @param reached whether the call had a connection, so that the worker may have seen it
   */
  static Failure of(String worker, Status status, Metadata trailers, boolean reached) {
    return switch (status.getCode()) {
      // The client was let in here: it is this router that the worker does not let in.
      case UNAUTHENTICATED, PERMISSION_DENIED -> locked(worker, status);
      default -> new Failure(worker, kind(status, trailers, reached), status, trailers);
    };
  }

  /** To a client, and to those who wait for workers, such a one is away. */
  private static Failure locked(String worker, Status status) {
    Status away =
        Status.UNAVAILABLE.withDescription(
            "it does not let this router in: " + status.getDescription());
    return new Failure(worker, FailureKind.UNREACHABLE, away, new Metadata());
  }

  /** The worker stands still; it was left. */
  static Failure stalled(String worker, String why) {
    return new Failure(
        worker, FailureKind.STALLED, Status.UNAVAILABLE.withDescription(why), new Metadata());
  }

  private static FailureKind kind(Status status, Metadata trailers, boolean reached) {
    return switch (status.getCode()) {
      case INTERNAL, UNKNOWN -> FailureKind.DIED;
      case UNAVAILABLE -> unavailable(Trailers.reason(trailers), trailers, reached);
      case RESOURCE_EXHAUSTED -> FailureKind.BUSY;
      case OK,
          CANCELLED,
          UNAUTHENTICATED,
          PERMISSION_DENIED,
          INVALID_ARGUMENT,
          DEADLINE_EXCEEDED,
          NOT_FOUND,
          ALREADY_EXISTS,
          FAILED_PRECONDITION,
          ABORTED,
          OUT_OF_RANGE,
          UNIMPLEMENTED,
          DATA_LOSS ->
          FailureKind.FINAL;
    };
  }

  private static FailureKind unavailable(String reason, Metadata trailers, boolean reached) {
    return switch (reason) {
      case "DRAINING", "STOPPED" -> FailureKind.DRAINED;
      case "ENGINE_FAILED" -> FailureKind.DIED;
      // A server that says no sends at least a content type; a connection that breaks, nothing.
      case "" -> reached && trailers.keys().isEmpty() ? FailureKind.DIED : FailureKind.UNREACHABLE;
      default -> FailureKind.UNREACHABLE;
    };
  }

  /** Whether the worker gave this reason. */
  boolean isFor(String reason) {
    return Trailers.reason(trailers).equals(reason);
  }

  /** Of a worker that has no room: whether waiting helps. A time that was missed stays missed. */
  boolean mayPass() {
    String reason = Trailers.reason(trailers);
    return !reason.equals("TTFT_TARGET") && !reason.equals("DEADLINE");
  }

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
