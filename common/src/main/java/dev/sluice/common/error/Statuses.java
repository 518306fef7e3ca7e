package dev.sluice.common.error;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RequestInfo;
import com.google.rpc.ResourceInfo;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Map;

/** Maps refusals to gRPC statuses: the only place that does. */
public final class Statuses {
  /** Domain of every ErrorInfo. */
  public static final String DOMAIN = "sluice.dev";

  /** Tells a client when to try again, in milliseconds; negative: not at all. */
  public static final Metadata.Key<String> PUSHBACK =
      Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);

  private Statuses() {}

  /** The status, its details and, for refusals that pass, the push-back trailer. */
  public static StatusRuntimeException toException(Refusal refusal) {
    StatusRuntimeException exception = StatusProto.toStatusRuntimeException(toProto(refusal));
    java.time.Duration retryAfter =
        switch (refusal) {
          case Refusal.Overloaded o -> o.retryAfter();
          case Refusal.Unavailable u -> u.retryAfter();
          case Refusal.Invalid _,
              Refusal.NotFound _,
              Refusal.Unauthenticated _,
              Refusal.Forbidden _,
              Refusal.Unimplemented _,
              Refusal.Unserviceable _,
              Refusal.DeadlineExceeded _,
              Refusal.Cancelled _,
              Refusal.Internal _ ->
              java.time.Duration.ZERO;
        };
    Metadata trailers = exception.getTrailers();
    if (trailers != null && !retryAfter.isZero()) {
      // rounded up: 0 would mean at once
      trailers.put(PUSHBACK, Long.toString(retryAfter.plusNanos(999_999).toMillis()));
    }
    return exception;
  }

  /** What belongs to a status; empty if there is nothing. */
  public static Metadata trailers(StatusRuntimeException failure) {
    Metadata trailers = failure.getTrailers();
    return trailers == null ? new Metadata() : trailers;
  }

  private static Status toProto(Refusal refusal) {
    return switch (refusal) {
      case Refusal.Invalid r -> {
        BadRequest.Builder bad = BadRequest.newBuilder();
        for (Refusal.Violation v : r.violations()) {
          bad.addFieldViolations(
              BadRequest.FieldViolation.newBuilder()
                  .setField(v.field())
                  .setDescription(v.description()));
        }
        yield status(Code.INVALID_ARGUMENT, r, bad.build());
      }
      case Refusal.NotFound r ->
          status(
              Code.NOT_FOUND,
              r,
              ResourceInfo.newBuilder()
                  .setResourceType(r.resourceType())
                  .setResourceName(r.resourceName())
                  .build());
      case Refusal.Unauthenticated r ->
          status(Code.UNAUTHENTICATED, r, info("INVALID_API_KEY", Map.of()));
      case Refusal.Forbidden r ->
          status(Code.PERMISSION_DENIED, r, info("PERMISSION_DENIED", Map.of()));
      case Refusal.Unimplemented r ->
          status(Code.UNIMPLEMENTED, r, info("UNIMPLEMENTED_FIELD", Map.of("field", r.field())));
      case Refusal.Unserviceable r ->
          status(Code.FAILED_PRECONDITION, r, info(r.reason(), r.numbers()));
      case Refusal.Overloaded r ->
          status(Code.RESOURCE_EXHAUSTED, r, info(r.reason(), r.numbers()), retry(r.retryAfter()));
      case Refusal.Unavailable r ->
          status(Code.UNAVAILABLE, r, info(r.reason(), Map.of()), retry(r.retryAfter()));
      case Refusal.DeadlineExceeded r -> status(Code.DEADLINE_EXCEEDED, r);
      case Refusal.Cancelled r -> status(Code.CANCELLED, r);
      case Refusal.Internal r -> {
        RequestInfo request = RequestInfo.newBuilder().setRequestId(r.requestId()).build();
        yield r.reason().isEmpty()
            ? status(Code.INTERNAL, r, request)
            : status(Code.INTERNAL, r, request, info(r.reason(), Map.of()));
      }
    };
  }

  private static Status status(Code code, Refusal refusal, Message... details) {
    Status.Builder status =
        Status.newBuilder().setCode(code.getNumber()).setMessage(refusal.message());
    for (Message detail : details) {
      status.addDetails(Any.pack(detail));
    }
    return status.build();
  }

  private static ErrorInfo info(String reason, Map<String, String> metadata) {
    return ErrorInfo.newBuilder()
        .setReason(reason)
        .setDomain(DOMAIN)
        .putAllMetadata(metadata)
        .build();
  }

  private static RetryInfo retry(java.time.Duration delay) {
    return RetryInfo.newBuilder()
        .setRetryDelay(
            Duration.newBuilder().setSeconds(delay.getSeconds()).setNanos(delay.getNano()))
        .build();
  }
}
