package dev.sluice.router.proxy;

import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.router.fleet.WorkerView;
import io.grpc.Metadata;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.context.propagation.TextMapSetter;
import org.jspecify.annotations.Nullable;

/**
 * Starts the spans of a forwarded call and carries their context over gRPC. The generic gRPC
 * instrumentation is not used here: it would do work, and allocate, for every message that passes.
 *
 * <pre>
 *   generate {model}            SERVER
 *   ├─ admission                INTERNAL, until a worker has the request or it is refused
 *   ├─ route                    INTERNAL, one per decision
 *   ├─ worker generate {model}  CLIENT, one per attempt; its context goes to the worker
 *   └─ resume                   INTERNAL, from a loss to the next worker's first message
 * </pre>
 *
 * <p>Threading: any thread; no state. Contexts are passed on by hand, none is ever made current.
 */
final class Tracing {
  private final Tracer tracer;
  private final TextMapPropagator propagator;

  Tracing(Telemetry telemetry) {
    this.tracer = telemetry.tracer();
    this.propagator = telemetry.openTelemetry().getPropagators().getTextMapPropagator();
  }

  /** The span of a call from a client, below whatever span the client sent. */
  Context startServer(String name, Metadata headers) {
    Context parent = propagator.extract(Context.root(), headers, MetadataGetter.INSTANCE);
    return parent.with(
        tracer.spanBuilder(name).setSpanKind(SpanKind.SERVER).setParent(parent).startSpan());
  }

  /** The span from arrival to the first worker, or to the refusal. */
  Span startAdmission(Context parent) {
    return tracer.spanBuilder("admission").setParent(parent).startSpan();
  }

  /** The span of a routing decision. */
  Span startRoute(Context parent) {
    return tracer.spanBuilder("route").setParent(parent).startSpan();
  }

  /** The span from the loss of a worker to the first message of the next; links to the lost one. */
  Span startResume(Context parent, SpanContext lost) {
    return tracer.spanBuilder("resume").setParent(parent).addLink(lost).startSpan();
  }

  /** The span of one attempt; writes its context to {@code headers}. */
  Span startAttempt(Context parent, String name, WorkerView worker, int attempt, Metadata headers) {
    Span span =
        tracer
            .spanBuilder("worker " + name)
            .setSpanKind(SpanKind.CLIENT)
            .setParent(parent)
            .setAttribute(Names.SERVER_ADDRESS, worker.address().host())
            .setAttribute(Names.SERVER_PORT, (long) worker.address().port())
            .setAttribute(Names.WORKER, worker.name())
            .setAttribute(Names.ATTEMPT, (long) attempt)
            .startSpan();
    propagator.inject(parent.with(span), headers, MetadataSetter.INSTANCE);
    return span;
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  private enum MetadataSetter implements TextMapSetter<Metadata> {
    INSTANCE;

    @Override
    public void set(@Nullable Metadata carrier, String name, String value) {
      if (carrier != null) {
        carrier.discardAll(key(name));
        carrier.put(key(name), value);
      }
    }
  }

  private enum MetadataGetter implements TextMapGetter<Metadata> {
    INSTANCE;

    @Override
    public Iterable<String> keys(Metadata carrier) {
      return carrier.keys();
    }

    @Override
    public @Nullable String get(@Nullable Metadata carrier, String name) {
      return carrier == null ? null : carrier.get(key(name));
    }
  }
}
