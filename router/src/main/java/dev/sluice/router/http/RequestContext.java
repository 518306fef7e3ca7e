package dev.sluice.router.http;

import com.google.protobuf.Duration;
import dev.sluice.common.error.RefusalException;
import dev.sluice.router.edge.TraceHeaders;
import dev.sluice.v1.GenerateRequest;
import io.grpc.CallOptions;
import io.grpc.Metadata;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * What a request says outside of its body.
 *
 * @param id of the answer, and of the request to the model
 * @param tenant {@code x-sluice-tenant}; empty: the default one
 * @param sessionId {@code x-sluice-session}; empty if there is none
 * @param timeoutMillis {@code x-sluice-timeout-ms}, the time that the whole answer may take
 * @param ttftTargetMillis {@code x-sluice-ttft-target-ms}
 * @param trace {@code traceparent} and what belongs to it
 */
record RequestContext(
    String id,
    long createdSeconds,
    String tenant,
    String sessionId,
    OptionalLong timeoutMillis,
    OptionalLong ttftTargetMillis,
    TraceHeaders trace) {
  private static final long MAX_MILLIS = TimeUnit.DAYS.toMillis(1);

  /**
   * @throws RefusalException for a header that is wrong
   */
  static RequestContext of(
      Exchange exchange, Shape shape, long createdSeconds, RandomGenerator random) {
    HexFormat hex = HexFormat.of();
    String id =
        exchange
            .header("x-request-id")
            .filter(given -> !given.isEmpty())
            .orElseGet(
                () -> hex.toHexDigits(random.nextLong()) + hex.toHexDigits(random.nextLong()));
    return new RequestContext(
        shape.idPrefix() + id,
        createdSeconds,
        exchange.header("x-sluice-tenant").orElse(""),
        exchange.header("x-sluice-session").orElse(""),
        millis(exchange, "x-sluice-timeout-ms"),
        millis(exchange, "x-sluice-ttft-target-ms"),
        TraceHeaders.from(name -> exchange.header(name)));
  }

  private static OptionalLong millis(Exchange exchange, String name) {
    Optional<String> text = exchange.header(name);
    if (text.isEmpty()) {
      return OptionalLong.empty();
    }
    try {
      long millis = Long.parseLong(text.get().strip());
      if (millis >= 1 && millis <= MAX_MILLIS) {
        return OptionalLong.of(millis);
      }
    } catch (NumberFormatException _) {
      // told below
    }
    throw RefusalException.invalid(
        name, "\"" + text.get() + "\" (expected: milliseconds, 1 to " + MAX_MILLIS + ")");
  }

  /** A request to the model with what is known so far. */
  GenerateRequest.Builder begin() {
    GenerateRequest.Builder request =
        GenerateRequest.newBuilder().setRequestId(id).setTenant(tenant).setSessionId(sessionId);
    ttftTargetMillis.ifPresent(millis -> request.setTtftTarget(duration(millis)));
    return request;
  }

  private static Duration duration(long millis) {
    return Duration.newBuilder()
        .setSeconds(millis / 1000)
        .setNanos((int) TimeUnit.MILLISECONDS.toNanos(millis % 1000))
        .build();
  }

  CallOptions callOptions() {
    return timeoutMillis.isPresent()
        ? CallOptions.DEFAULT.withDeadlineAfter(timeoutMillis.getAsLong(), TimeUnit.MILLISECONDS)
        : CallOptions.DEFAULT;
  }

  Metadata headers() {
    return trace.metadata();
  }
}
