package dev.sluice.common.error;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RequestInfo;
import com.google.rpc.ResourceInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class StatusesTest {
  @Test
  void invalidNamesEveryField() {
    StatusRuntimeException e =
        Statuses.toException(
            new Refusal.Invalid(
                List.of(
                    new Refusal.Violation("temperature", "-1.0 (expected: 0.0 to 2.0)"),
                    new Refusal.Violation("n", "0 (expected: 1 to 16)"))));
    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(e.getStatus().getDescription())
        .isEqualTo("temperature: -1.0 (expected: 0.0 to 2.0); n: 0 (expected: 1 to 16)");
    assertThat(detail(e, BadRequest.class).getFieldViolationsList())
        .extracting(BadRequest.FieldViolation::getField)
        .containsExactly("temperature", "n");
    assertThat(pushBack(e)).isEmpty();
  }

  @Test
  void notFoundNamesTheResource() {
    StatusRuntimeException e =
        Statuses.toException(new Refusal.NotFound("model", "gpt-9", "no model gpt-9"));
    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(detail(e, ResourceInfo.class).getResourceName()).isEqualTo("gpt-9");
    assertThat(detail(e, ResourceInfo.class).getResourceType()).isEqualTo("model");
  }

  @Test
  void unimplementedNamesTheField() {
    StatusRuntimeException e =
        Statuses.toException(new Refusal.Unimplemented("beam", "beam: not served yet"));
    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
    assertThat(detail(e, ErrorInfo.class).getMetadataMap()).containsEntry("field", "beam");
  }

  @Test
  void unserviceableGivesTheNumbers() {
    StatusRuntimeException e =
        Statuses.toException(
            new Refusal.Unserviceable(
                "POOL_TOO_SMALL", "needs 9 blocks of 8", Map.of("blocks", "9")));
    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
    ErrorInfo info = detail(e, ErrorInfo.class);
    assertThat(info.getReason()).isEqualTo("POOL_TOO_SMALL");
    assertThat(info.getDomain()).isEqualTo("sluice.dev");
    assertThat(info.getMetadataMap()).containsEntry("blocks", "9");
    assertThat(pushBack(e)).isEmpty();
  }

  @Test
  void overloadedTellsWhenToComeBack() {
    StatusRuntimeException e =
        Statuses.toException(
            new Refusal.Overloaded(
                "QUEUE_FULL", "queue full", Duration.ofMillis(2500), Map.of("waiting", "256")));
    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(detail(e, ErrorInfo.class).getReason()).isEqualTo("QUEUE_FULL");
    assertThat(detail(e, RetryInfo.class).getRetryDelay())
        .isEqualTo(
            com.google.protobuf.Duration.newBuilder().setSeconds(2).setNanos(500_000_000).build());
    assertThat(pushBack(e)).isEqualTo("2500");
  }

  @Test
  void unavailableTellsWhenToComeBack() {
    StatusRuntimeException e =
        Statuses.toException(
            new Refusal.Unavailable("NO_WORKER", "no worker", Duration.ofSeconds(1)));
    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(detail(e, ErrorInfo.class).getReason()).isEqualTo("NO_WORKER");
    assertThat(detail(e, RetryInfo.class).getRetryDelay().getSeconds()).isEqualTo(1);
    assertThat(pushBack(e)).isEqualTo("1000");
  }

  @Test
  void lessThanAMillisecondIsNotNow() {
    assertThat(
            pushBack(
                Statuses.toException(
                    new Refusal.Unavailable("NO_WORKER", "no worker", Duration.ofNanos(1)))))
        .isEqualTo("1");
  }

  @Test
  void endedCallsHaveTheirCodes() {
    assertThat(Statuses.toException(new Refusal.DeadlineExceeded("late")).getStatus().getCode())
        .isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    assertThat(Statuses.toException(new Refusal.Cancelled("gone")).getStatus().getCode())
        .isEqualTo(Status.Code.CANCELLED);
  }

  @Test
  void internalCarriesTheRequestIdAndNothingElse() {
    StatusRuntimeException e = Statuses.toException(new Refusal.Internal("r-1", "internal error"));
    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INTERNAL);
    assertThat(detail(e, RequestInfo.class).getRequestId()).isEqualTo("r-1");
    assertThat(e.getStatus().getCause()).isNull();
  }

  private static String pushBack(StatusRuntimeException e) {
    Metadata trailers = Objects.requireNonNull(e.getTrailers());
    return Objects.requireNonNullElse(trailers.get(Statuses.PUSHBACK), "");
  }

  private static <T extends Message> T detail(StatusRuntimeException e, Class<T> type) {
    com.google.rpc.Status status = Objects.requireNonNull(StatusProto.fromThrowable(e));
    for (Any any : status.getDetailsList()) {
      if (any.is(type)) {
        try {
          return any.unpack(type);
        } catch (InvalidProtocolBufferException broken) {
          throw new AssertionError(broken);
        }
      }
    }
    throw new AssertionError("no " + type.getSimpleName() + " in " + status);
  }
}
