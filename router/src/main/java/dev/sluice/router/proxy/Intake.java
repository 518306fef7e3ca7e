package dev.sluice.router.proxy;

import dev.sluice.common.error.RefusalException;
import dev.sluice.common.error.Statuses;
import dev.sluice.router.admission.Demand;
import dev.sluice.router.admission.Place;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Takes in the one request message of a call, then hands the call to a {@link ForwardedCall}. */
final class Intake<R> implements ServerCallHandler<R, byte[]> {
  private final Proxy proxy;
  private final ForwardedMethod<R> method;

  Intake(Proxy proxy, ForwardedMethod<R> method) {
    this.proxy = proxy;
    this.method = method;
  }

  @Override
  public ServerCall.Listener<R> startCall(ServerCall<R, byte[]> call, Metadata headers) {
    call.request(2); // a second message would be a client's fault, and must be seen
    return new Listener(call, headers, Context.current().getDeadline());
  }

  /** Threading: one callback at a time, as gRPC promises. */
  private final class Listener extends ServerCall.Listener<R> {
    private final ServerCall<R, byte[]> call;
    private final CallTelemetry telemetry;
    private final Deadline deadline;
    private final long arrivalNanos = proxy.nanoClock().getAsLong();
    private @Nullable R request;
    private @Nullable ForwardedCall<R> forwarded;
    private boolean closed;

    Listener(ServerCall<R, byte[]> call, Metadata headers, @Nullable Deadline given) {
      this.call = call;
      String name = call.getMethodDescriptor().getBareMethodName();
      telemetry =
          new CallTelemetry(
              proxy.tracing(),
              proxy.metrics(),
              name == null ? "" : name,
              proxy.selector().policyName(),
              proxy.requests().begin(name == null ? "" : name),
              headers);
      Deadline longest =
          Deadline.after(proxy.options().maxRequestDuration().toNanos(), TimeUnit.NANOSECONDS);
      deadline = given == null ? longest : given;
    }

    @Override
    public void onMessage(R message) {
      if (request != null) {
        close(Status.INTERNAL.withDescription("2 request messages (expected: 1)"), new Metadata());
        return;
      }
      request = message;
    }

    @Override
    public void onHalfClose() {
      if (closed) {
        return;
      }
      if (request == null) {
        close(Status.INTERNAL.withDescription("no request message (expected: 1)"), new Metadata());
        return;
      }
      Prepared<R> prepared;
      long preparedNanos;
      Optional<Place> place;
      try {
        Optional<Demand> demand = method.demand(request);
        demand.ifPresent(proxy.admission()::limit);
        long before = proxy.nanoClock().getAsLong();
        prepared = method.prepare(request, proxy.preparation());
        preparedNanos = proxy.nanoClock().getAsLong() - before;
        telemetry.received(
            method.operation(request), method.verb(), prepared.requestId(), prepared.model());
        method.describe(request, telemetry.span());
        place = enter(demand, prepared);
      } catch (RefusalException e) {
        telemetry.refused(e.refusal());
        StatusRuntimeException refused = Statuses.toException(e.refusal());
        Metadata trailers = refused.getTrailers();
        close(refused.getStatus(), trailers == null ? new Metadata() : trailers);
        return;
      }
      prepared.tokens().ifPresent(t -> telemetry.tokenized(t.count(), preparedNanos));
      forwarded =
          new ForwardedCall<>(
              proxy, method, prepared, call, deadline, arrivalNanos, telemetry, place);
      request = null; // the prepared one is enough
      forwarded.start();
    }

    private Optional<Place> enter(Optional<Demand> demand, Prepared<R> prepared) {
      return demand.map(asked -> {
        telemetry.arrives(asked, prepared.promptTokens());
        return proxy
            .admission()
            .enter(
                asked,
                prepared.model(),
                prepared.promptTokens(),
                deadline.timeRemaining(TimeUnit.NANOSECONDS));
      });
    }

    @Override
    public void onReady() {
      if (forwarded != null) {
        forwarded.clientReady();
      }
    }

    @Override
    public void onCancel() {
      if (forwarded != null) {
        forwarded.clientCancelled();
      } else if (!closed) {
        answered(Status.CANCELLED);
      }
    }

    private void close(Status status, Metadata trailers) {
      closed = true;
      call.close(status, trailers);
      answered(status);
    }

    private void answered(Status status) {
      telemetry.answered(status, 0, proxy.nanoClock().getAsLong() - arrivalNanos);
    }
  }
}
