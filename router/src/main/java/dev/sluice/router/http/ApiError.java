package dev.sluice.router.http;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.Statuses;
import dev.sluice.router.edge.GenerationFields;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A failure as OpenAI's clients know it.
 *
 * @param status of HTTP
 * @param type OpenAI's class of errors
 * @param param the field at fault
 * @param code for programs
 * @param retryAfter when it may be different; zero if that is not known
 */
record ApiError(
    int status,
    String type,
    Optional<String> param,
    Optional<String> code,
    String message,
    Duration retryAfter) {
  private static final String INVALID = "invalid_request_error";
  private static final String SERVER = "server_error";
  private static final String RATE_LIMIT = "rate_limit_error";
  private static final String CONTEXT_TOO_SHORT = "context_length_exceeded";

  /** A request that is wrong in itself. */
  static ApiError invalid(int status, String message) {
    return new ApiError(
        status, INVALID, Optional.empty(), Optional.empty(), message, Duration.ZERO);
  }

  /** Our fault; the log says which. */
  static ApiError internal() {
    return new ApiError(
        500, SERVER, Optional.empty(), Optional.empty(), "internal error", Duration.ZERO);
  }

  static ApiError noModel(String name) {
    return unknownModel("model: \"" + name + "\" (expected: one that GET /v1/models lists)");
  }

  private static ApiError unknownModel(String message) {
    return new ApiError(
        404, INVALID, Optional.of("model"), Optional.of("model_not_found"), message, Duration.ZERO);
  }

  /** As the gRPC clients are told it. */
  static ApiError of(Refusal refusal) {
    StatusRuntimeException refused = Statuses.toException(refusal);
    return of(refused.getStatus(), Statuses.trailers(refused));
  }

  /** What a call to GenerationService failed with. */
  static ApiError of(Status status, Metadata trailers) {
    com.google.rpc.Status details = StatusProto.fromStatusAndTrailers(status, trailers);
    List<Any> all = details == null ? List.of() : details.getDetailsList();
    Optional<String> reason = find(all, ErrorInfo.class).map(ErrorInfo::getReason);
    List<BadRequest.FieldViolation> violations =
        find(all, BadRequest.class).map(BadRequest::getFieldViolationsList).orElse(List.of());
    Duration retryAfter =
        find(all, RetryInfo.class)
            .map(info ->
                Duration.ofSeconds(
                    info.getRetryDelay().getSeconds(), info.getRetryDelay().getNanos()))
            .orElse(Duration.ZERO);
    String described = status.getDescription();
    String message =
        violations.isEmpty()
            ? described == null || described.isEmpty() ? status.getCode().name() : described
            : violations.stream().map(ApiError::text).collect(Collectors.joining("; "));
    Optional<String> param =
        violations.stream().findFirst().flatMap(v -> GenerationFields.nameOf(v.getField()));
    Optional<String> code = reason.map(r -> r.toLowerCase(Locale.ROOT));
    return switch (status.getCode()) {
      case INVALID_ARGUMENT, OUT_OF_RANGE, FAILED_PRECONDITION ->
          new ApiError(
              400,
              INVALID,
              param,
              violations.stream().anyMatch(ApiError::isTooLong)
                  ? Optional.of(CONTEXT_TOO_SHORT)
                  : code.map(ApiError::known),
              message,
              Duration.ZERO);
      case NOT_FOUND -> unknownModel(message);
      case UNIMPLEMENTED ->
          new ApiError(
              400, INVALID, Optional.empty(), Optional.of("unsupported"), message, Duration.ZERO);
      case UNAUTHENTICATED ->
          new ApiError(401, "authentication_error", param, code, message, Duration.ZERO);
      case PERMISSION_DENIED ->
          new ApiError(403, "permission_error", param, code, message, Duration.ZERO);
      case RESOURCE_EXHAUSTED ->
          new ApiError(429, RATE_LIMIT, Optional.empty(), code, message, retryAfter);
      case UNAVAILABLE -> new ApiError(503, SERVER, Optional.empty(), code, message, retryAfter);
      case DEADLINE_EXCEEDED ->
          new ApiError(
              504, SERVER, Optional.empty(), Optional.of("timeout"), message, Duration.ZERO);
      case CANCELLED ->
          new ApiError(
              499, SERVER, Optional.empty(), Optional.of("cancelled"), message, Duration.ZERO);
      case OK, UNKNOWN, INTERNAL, ABORTED, ALREADY_EXISTS, DATA_LOSS ->
          new ApiError(500, SERVER, Optional.empty(), code, message, Duration.ZERO);
    };
  }

  /** OpenAI's word where it has one. */
  private static String known(String reason) {
    return reason.equals("exceeds_kv_pool") ? CONTEXT_TOO_SHORT : reason;
  }

  /** Whether the prompt, or the prompt and what is asked for, do not fit the model's context. */
  private static boolean isTooLong(BadRequest.FieldViolation violation) {
    return violation.getDescription().contains("the context of ");
  }

  private static String text(BadRequest.FieldViolation violation) {
    return GenerationFields.nameOf(violation.getField()).orElse(violation.getField())
        + ": "
        + violation.getDescription();
  }

  private static <T extends com.google.protobuf.Message> Optional<T> find(
      List<Any> details, Class<T> type) {
    for (Any detail : details) {
      if (detail.is(type)) {
        try {
          return Optional.of(detail.unpack(type));
        } catch (InvalidProtocolBufferException _) {
          return Optional.empty(); // a detail that cannot be read says nothing
        }
      }
    }
    return Optional.empty();
  }
}
