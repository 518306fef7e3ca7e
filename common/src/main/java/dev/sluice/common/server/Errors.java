package dev.sluice.common.server;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.common.error.Statuses;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How handlers tell a client that a call failed. */
public final class Errors {
  /** Names a request in logs and answers; from the client, or made up here. */
  public static final Metadata.Key<String> REQUEST_ID =
      Metadata.Key.of("x-request-id", Metadata.ASCII_STRING_MARSHALLER);

  private static final int LONGEST_REQUEST_ID = 128;
  private static final Logger log = LoggerFactory.getLogger(Errors.class);

  private Errors() {}

  /**
   * Ends a call: a refusal or a status as it is, anything else as INTERNAL, logged with its stack
   * trace, which the client does not get.
   */
  public static void refuse(StreamObserver<?> observer, Throwable failure) {
    refuse(observer, failure, UUID.randomUUID().toString());
  }

  /** As {@link #refuse(StreamObserver, Throwable)}, for a request whose id is known. */
  public static void refuse(StreamObserver<?> observer, Throwable failure, String requestId) {
    observer.onError(toStatus(failure, requestId, "call"));
  }

  /** The id that the client sent, if it is fit for a log line; else a new one. */
  static String requestId(Metadata headers) {
    String given = headers.get(REQUEST_ID);
    return given != null && !given.isEmpty() && given.length() <= LONGEST_REQUEST_ID
        ? given
        : UUID.randomUUID().toString();
  }

  static StatusRuntimeException toStatus(
      Throwable failure, String requestId, MethodDescriptor<?, ?> method) {
    return toStatus(failure, requestId, method.getFullMethodName());
  }

  static void logLate(Throwable failure, MethodDescriptor<?, ?> method) {
    log.error("{}: failed after its answer", method.getFullMethodName(), failure);
  }

  private static StatusRuntimeException toStatus(Throwable failure, String requestId, String what) {
    return switch (failure) {
      case RefusalException refused -> Statuses.toException(refused.refusal());
      case StatusRuntimeException status -> status;
      case StatusException status ->
          new StatusRuntimeException(status.getStatus(), status.getTrailers());
      default -> {
        log.error("{}: failed, request id {}", what, requestId, failure);
        yield Statuses.toException(
            new Refusal.Internal(requestId, "internal error, request id " + requestId));
      }
    };
  }
}
