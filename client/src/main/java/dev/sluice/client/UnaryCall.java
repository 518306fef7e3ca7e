package dev.sluice.client;

import io.grpc.CallOptions;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A call with one answer, made again elsewhere while that is worth it. */
final class UnaryCall {
  private UnaryCall() {}

  static <Q, R> R blocking(
      Endpoints endpoints,
      MethodDescriptor<Q, R> method,
      CallOptions options,
      Q request,
      String requestId,
      Recovery recovery) {
    Optional<Endpoint> last = Optional.empty();
    while (true) {
      Endpoint endpoint = endpoints.pick(last);
      try {
        R answer = ClientCalls.blockingUnaryCall(endpoint.channel(), method, options, request);
        endpoint.answered();
        return answer;
      } catch (StatusRuntimeException e) {
        if (e.getStatus().getCode() == Status.Code.UNAVAILABLE) {
          endpoint.lost();
        }
        Optional<Duration> pause =
            endpoints.isClosed()
                    || Context.current().isCancelled()
                    || Thread.currentThread().isInterrupted()
                ? Optional.empty()
                : recovery
                    .failed(e.getStatus(), e.getTrailers(), false, false)
                    .filter(wait -> isWithin(options.getDeadline(), wait));
        if (pause.isEmpty()) {
          throw SluiceException.of(e.getStatus(), e.getTrailers(), requestId);
        }
        sleep(pause.get(), requestId);
      }
      last = Optional.of(endpoint);
    }
  }

  private static void sleep(Duration pause, String requestId) {
    try {
      Thread.sleep(pause);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw SluiceException.of(
          Status.CANCELLED.withDescription("the calling thread was interrupted").withCause(e),
          null,
          requestId);
    }
  }

  /** Whether a pause ends before a call's time does. */
  static boolean isWithin(@Nullable Deadline deadline, Duration pause) {
    return deadline == null || deadline.timeRemaining(TimeUnit.NANOSECONDS) > pause.toNanos();
  }
}
