package dev.sluice.common.server;

import dev.sluice.common.error.Statuses;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/**
 * Answers what handlers throw, or give to {@code onError}: refusals with their status, the rest as
 * INTERNAL with the request id, logged once, its stack trace never sent.
 */
public final class ErrorInterceptor implements ServerInterceptor {
  @Override
  public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
      ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
    Call<ReqT, RespT> guarded = new Call<>(call, headers);
    try {
      return new Listener<>(next.startCall(guarded, headers), guarded);
    } catch (RuntimeException | Error e) {
      guarded.fail(e);
      return new ServerCall.Listener<>() {};
    }
  }

  /** Threading: as the call below, one thread at a time; only {@code closed} is read by others. */
  private static final class Call<ReqT, RespT> extends SimpleForwardingServerCall<ReqT, RespT> {
    private final Metadata headers;
    private volatile boolean closed; // handlers may close from another thread than fail

    Call(ServerCall<ReqT, RespT> call, Metadata headers) {
      super(call);
      this.headers = headers;
    }

    @Override
    public void close(Status status, Metadata trailers) {
      closed = true;
      Throwable cause = status.getCause();
      // UNKNOWN with a cause is what grpc makes of any exception that carries no status
      if (cause == null || status.getCode() != Status.Code.UNKNOWN) {
        super.close(status, trailers);
        return;
      }
      StatusRuntimeException mapped =
          Errors.toStatus(cause, Errors.requestId(headers), getMethodDescriptor());
      trailers.merge(Statuses.trailers(mapped));
      super.close(mapped.getStatus(), trailers);
    }

    /** For an exception out of a callback: the handler cannot answer any more. */
    void fail(Throwable e) {
      if (closed) {
        Errors.logLate(e, getMethodDescriptor());
        return;
      }
      closed = true;
      StatusRuntimeException mapped =
          Errors.toStatus(e, Errors.requestId(headers), getMethodDescriptor());
      super.close(mapped.getStatus(), Statuses.trailers(mapped));
    }
  }

  private static final class Listener<ReqT> extends SimpleForwardingServerCallListener<ReqT> {
    private final Call<ReqT, ?> call;

    Listener(ServerCall.Listener<ReqT> delegate, Call<ReqT, ?> call) {
      super(delegate);
      this.call = call;
    }

    @Override
    public void onMessage(ReqT message) {
      try {
        super.onMessage(message);
      } catch (RuntimeException | Error e) {
        call.fail(e);
      }
    }

    @Override
    public void onHalfClose() {
      try {
        super.onHalfClose();
      } catch (RuntimeException | Error e) {
        call.fail(e);
      }
    }

    @Override
    public void onReady() {
      try {
        super.onReady();
      } catch (RuntimeException | Error e) {
        call.fail(e);
      }
    }
  }
}
