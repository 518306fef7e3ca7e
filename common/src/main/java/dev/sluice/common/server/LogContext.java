package dev.sluice.common.server;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.context.Context;
import org.slf4j.MDC;

/** The trace that the log lines of a thread belong to. */
public final class LogContext {
  static final String TRACE_ID = "trace_id";

  private LogContext() {}

  /** Until it is closed, on the thread that began it. */
  @FunctionalInterface
  public interface Scope extends AutoCloseable {
    @Override
    void close();
  }

  /** Puts a trace's id into every line that this thread logs; nothing if there is no trace. */
  public static Scope of(Context trace) {
    SpanContext span = Span.fromContext(trace).getSpanContext();
    if (!span.isValid()) {
      return () -> {};
    }
    MDC.put(TRACE_ID, span.getTraceId());
    return () -> MDC.remove(TRACE_ID);
  }

  /**
   * Tells the trace of the gRPC call that is being started on this thread, if the handler traces it
   * by itself: it is then in what the call's further callbacks log, too.
   */
  public static void ofCall(Context trace) {
    SpanContext span = Span.fromContext(trace).getSpanContext();
    if (span.isValid()) {
      MDC.put(TRACE_ID, span.getTraceId());
    }
  }
}
