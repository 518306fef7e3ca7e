package dev.sluice.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RequestInfo;
import com.google.rpc.RetryInfo;
import dev.sluice.v1.Usage;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A call that failed: its status, and what the server said about why. */
public final class SluiceException extends RuntimeException {
  private static final Metadata.Key<Usage> USAGE =
      Metadata.Key.of(
          "sluice-usage-bin", ProtoUtils.metadataMarshaller(Usage.getDefaultInstance()));

  /** A field of the request, its value and what was expected. */
  public record Violation(String field, String description) {}

  /** What the server's status details say. */
  private record Details(
      String reason,
      Map<String, String> metadata,
      List<Violation> violations,
      @Nullable Duration retryDelay,
      String requestId) {}

  private final Status.Code code;
  private final transient Details details;
  private final transient @Nullable Usage usage;

  private SluiceException(
      String message, Status.Code code, Details details, @Nullable Usage usage, Throwable cause) {
    super(message, cause);
    this.code = code;
    this.details = details;
    this.usage = usage;
  }

  /**
   * The exception for a call that ended with {@code status}.
   *
   * @param requestId of the request; empty if it has none. The server's word overrides it.
   */
  static SluiceException of(Status status, @Nullable Metadata trailers, String requestId) {
    Details details = details(StatusProto.fromStatusAndTrailers(status, trailers), requestId);
    String text = status.getDescription();
    Throwable cause = status.getCause();
    if (text == null) {
      text = cause == null || cause.getMessage() == null ? "no description" : cause.getMessage();
    } else if (cause != null && cause.getMessage() != null && !text.contains(cause.getMessage())) {
      // "io exception" alone helps nobody; its cause says that the connection was refused.
      text = text + ": " + cause.getMessage();
    }
    return new SluiceException(
        status.getCode() + ": " + text,
        status.getCode(),
        details,
        trailers == null ? null : trailers.get(USAGE),
        status.asRuntimeException(trailers));
  }

  /** The exception for a failure of a generated stub over {@link SluiceClient#channel}. */
  public static SluiceException from(StatusRuntimeException failure) {
    return of(failure.getStatus(), failure.getTrailers(), "");
  }

  private static Details details(com.google.rpc.Status status, String requestId) {
    String reason = "";
    Map<String, String> metadata = Map.of();
    List<Violation> violations = new ArrayList<>();
    Duration retryDelay = null;
    String id = requestId;
    for (Any any : status.getDetailsList()) {
      try {
        if (any.is(ErrorInfo.class)) {
          ErrorInfo info = any.unpack(ErrorInfo.class);
          reason = info.getReason();
          metadata = Map.copyOf(info.getMetadataMap());
        } else if (any.is(BadRequest.class)) {
          for (BadRequest.FieldViolation v :
              any.unpack(BadRequest.class).getFieldViolationsList()) {
            violations.add(new Violation(v.getField(), v.getDescription()));
          }
        } else if (any.is(RetryInfo.class)) {
          com.google.protobuf.Duration d = any.unpack(RetryInfo.class).getRetryDelay();
          retryDelay = Duration.ofSeconds(d.getSeconds(), d.getNanos());
        } else if (any.is(RequestInfo.class)) {
          id = any.unpack(RequestInfo.class).getRequestId();
        }
      } catch (InvalidProtocolBufferException e) {
        // A detail that cannot be read must not hide the failure that it is about.
        metadata = Map.of("unreadable_detail", any.getTypeUrl());
      }
    }
    return new Details(reason, metadata, List.copyOf(violations), retryDelay, id);
  }

  /** The gRPC status code. */
  public Status.Code code() {
    return code;
  }

  /** The server's reason in capitals, such as {@code QUEUE_FULL}. */
  public Optional<String> reason() {
    return nonEmpty(details.reason());
  }

  /** Values that belong to the reason. */
  public Map<String, String> metadata() {
    return details.metadata();
  }

  /** Every wrong field of the request; empty if that was not the cause. */
  public List<Violation> violations() {
    return details.violations();
  }

  /** When it is worth trying again; empty if the server did not say. */
  public Optional<Duration> retryDelay() {
    return Optional.ofNullable(details.retryDelay());
  }

  /** Names the request in the server's logs and traces. */
  public Optional<String> requestId() {
    return nonEmpty(details.requestId());
  }

  /** What was computed before a stream failed. */
  public Optional<Usage> usage() {
    return Optional.ofNullable(usage);
  }

  private static Optional<String> nonEmpty(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }
}
