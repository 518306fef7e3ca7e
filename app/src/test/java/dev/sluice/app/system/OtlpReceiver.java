package dev.sluice.app.system;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse;
import io.opentelemetry.proto.collector.metrics.v1.MetricsServiceGrpc;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.opentelemetry.proto.collector.trace.v1.TraceServiceGrpc;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.resource.v1.Resource;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * An OTLP collector over gRPC, on a socket: keeps the spans that processes send, and the names of
 * their metrics.
 *
 * <p>Threading: thread-safe.
 */
final class OtlpReceiver implements AutoCloseable {
  private static final long LIMIT_SECONDS = 60;

  private final Server server;
  private final List<ReceivedSpan> spans = new ArrayList<>(); // guarded by this
  private final Set<String> metrics = new HashSet<>(); // service/name, guarded by this

  private OtlpReceiver() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(new Traces())
            .addService(new Measurements())
            .build()
            .start();
  }

  static OtlpReceiver start() throws IOException {
    return new OtlpReceiver();
  }

  /** What a process is told so that it sends here, soon. */
  Map<String, String> environment() {
    return Map.of(
        "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:" + server.getPort(),
        "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc",
        "OTEL_BSP_SCHEDULE_DELAY", "100",
        "OTEL_METRIC_EXPORT_INTERVAL", "1000");
  }

  /** The spans of a trace, once they are as they should be. */
  synchronized List<ReceivedSpan> awaitTrace(String traceId, Predicate<List<ReceivedSpan>> complete)
      throws Exception {
    await(() -> complete.test(trace(traceId)), () -> "trace " + traceId + " is " + trace(traceId));
    return trace(traceId);
  }

  private synchronized List<ReceivedSpan> trace(String traceId) {
    return spans.stream().filter(span -> span.traceId().equals(traceId)).toList();
  }

  /** Waits until a process of this service has sent a metric of this name. */
  synchronized void awaitMetric(String service, String name) throws Exception {
    String wanted = service + "/" + name;
    await(() -> hasMetric(wanted), () -> "no metric " + wanted);
  }

  private synchronized boolean hasMetric(String name) {
    return metrics.contains(name);
  }

  private synchronized void await(BooleanSupplier done, Supplier<String> otherwise)
      throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
    while (!done.getAsBoolean()) {
      long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      if (left <= 0) {
        throw new TimeoutException(otherwise.get());
      }
      wait(left);
    }
  }

  private static String service(Resource resource) {
    return resource.getAttributesList().stream()
        .filter(attribute -> attribute.getKey().equals("service.name"))
        .map(KeyValue::getValue)
        .map(value -> value.getStringValue())
        .findFirst()
        .orElse("");
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  private final class Traces extends TraceServiceGrpc.TraceServiceImplBase {
    @Override
    public void export(
        ExportTraceServiceRequest request, StreamObserver<ExportTraceServiceResponse> answer) {
      synchronized (OtlpReceiver.this) {
        request
            .getResourceSpansList()
            .forEach(resource ->
                resource
                    .getScopeSpansList()
                    .forEach(scope ->
                        scope
                            .getSpansList()
                            .forEach(span ->
                                spans.add(
                                    new ReceivedSpan(service(resource.getResource()), span)))));
        OtlpReceiver.this.notifyAll();
      }
      answer.onNext(ExportTraceServiceResponse.getDefaultInstance());
      answer.onCompleted();
    }
  }

  private final class Measurements extends MetricsServiceGrpc.MetricsServiceImplBase {
    @Override
    public void export(
        ExportMetricsServiceRequest request, StreamObserver<ExportMetricsServiceResponse> answer) {
      synchronized (OtlpReceiver.this) {
        request
            .getResourceMetricsList()
            .forEach(resource ->
                resource
                    .getScopeMetricsList()
                    .forEach(scope ->
                        scope
                            .getMetricsList()
                            .forEach(metric ->
                                metrics.add(
                                    service(resource.getResource()) + "/" + metric.getName()))));
        OtlpReceiver.this.notifyAll();
      }
      answer.onNext(ExportMetricsServiceResponse.getDefaultInstance());
      answer.onCompleted();
    }
  }
}
