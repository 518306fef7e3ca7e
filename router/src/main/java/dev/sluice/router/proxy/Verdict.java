package dev.sluice.router.proxy;

import io.grpc.Status;

/** What a worker's refusal means before its first message. */
enum Verdict {
  /** The worker failed: another one may do better. */
  FAILED,
  /** The worker has no room: no failure, but another one may have. */
  BUSY,
  /** The request's own fault or fate: every worker would say the same. */
  FINAL;

  static Verdict of(Status status) {
    return switch (status.getCode()) {
      case UNAVAILABLE, INTERNAL, UNKNOWN -> FAILED;
      case RESOURCE_EXHAUSTED -> BUSY;
      case OK,
          CANCELLED,
          INVALID_ARGUMENT,
          DEADLINE_EXCEEDED,
          NOT_FOUND,
          ALREADY_EXISTS,
          PERMISSION_DENIED,
          FAILED_PRECONDITION,
          ABORTED,
          OUT_OF_RANGE,
          UNIMPLEMENTED,
          DATA_LOSS,
          UNAUTHENTICATED ->
          FINAL;
    };
  }
}
