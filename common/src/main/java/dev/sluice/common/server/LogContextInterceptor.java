package dev.sluice.common.server;

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import org.slf4j.MDC;

/** Puts the trace id into every log line that a handler writes. Goes below the tracing. */
public final class LogContextInterceptor implements ServerInterceptor {
  private static final String TRACE_ID = "trace_id";

  @Override
  public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
      ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
    SpanContext span = Span.current().getSpanContext();
    if (!span.isValid()) {
      return next.startCall(call, headers);
    }
    String traceId = span.getTraceId();
    MDC.put(TRACE_ID, traceId);
    try {
      return new Listener<>(next.startCall(call, headers), traceId);
    } finally {
      MDC.remove(TRACE_ID);
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
      MDC.put(TRACE_ID, traceId);
      try {
        callback.run();
      } finally {
        MDC.remove(TRACE_ID);
      }
    }
  }
}
