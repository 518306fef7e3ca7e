package dev.sluice.common.server;

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.opentelemetry.context.Context;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/** Puts the trace id into every log line that a handler writes. Goes below the tracing. */
public final class LogContextInterceptor implements ServerInterceptor {
  @Override
  public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
      ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
    LogContext.ofCall(Context.current());
    try {
      ServerCall.Listener<ReqT> listener = next.startCall(call, headers);
      @Nullable String traceId = MDC.get(LogContext.TRACE_ID); // or what the handler has told
      return traceId == null ? listener : new Listener<>(listener, traceId);
    } finally {
      MDC.remove(LogContext.TRACE_ID);
    }
  }

  /** Callbacks may each come on another thread. */
  private static final class Listener<ReqT> extends SimpleForwardingServerCallListener<ReqT> {
    private final String traceId;

    Listener(ServerCall.Listener<ReqT> delegate, String traceId) {
      super(delegate);
      this.traceId = traceId;
    }

    @Override
    public void onMessage(ReqT message) {
      within(() -> super.onMessage(message));
    }

    @Override
    public void onHalfClose() {
      within(super::onHalfClose);
    }

    @Override
    public void onReady() {
      within(super::onReady);
    }

    @Override
    public void onCancel() {
      within(super::onCancel);
    }

    @Override
    public void onComplete() {
      within(super::onComplete);
    }

    private void within(Runnable callback) {
      MDC.put(LogContext.TRACE_ID, traceId);
      try {
        callback.run();
      } finally {
        MDC.remove(LogContext.TRACE_ID);
      }
    }
  }
}
