package dev.sluice.common.telemetry;

import io.grpc.ClientInterceptor;
import io.grpc.ServerInterceptor;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.instrumentation.grpc.v1_6.GrpcTelemetry;
import java.io.IOException;
import java.io.OutputStream;
import java.util.function.Function;

/**
 * The spans and metrics of a process: made with OpenTelemetry, sent where the {@code OTEL_*}
 * variables say, and served to Prometheus.
 *
 * <p>Threading: thread-safe.
 */
public final class Telemetry implements AutoCloseable {
  private static final String SCOPE = "dev.sluice";

  private final OpenTelemetry openTelemetry;
  private final Tracer tracer;
  private final Meter meter;
  private final ServerInterceptor serverInterceptor;
  private final ClientInterceptor clientInterceptor;
  private final Scrape scrape;
  private final int metricsPort;
  private final Runnable close;

  Telemetry(OpenTelemetry openTelemetry, Scrape scrape, int metricsPort, Runnable close) {
    this.openTelemetry = openTelemetry;
    this.scrape = scrape;
    this.metricsPort = metricsPort;
    this.close = close;
    tracer = openTelemetry.getTracer(SCOPE);
    meter = openTelemetry.getMeter(SCOPE);
    GrpcTelemetry grpc =
        GrpcTelemetry.builder(openTelemetry)
            .setEmitMessageEvents(false) // a message is a token: no event each
            .build();
    serverInterceptor = new OurCalls.Server(grpc.createServerInterceptor());
    clientInterceptor = new OurCalls.Client(grpc.createClientInterceptor());
  }

  /**
   * Starts what the configuration and the {@code OTEL_*} variables ask for.
   *
   * @param serviceName {@code service.name} unless {@code OTEL_SERVICE_NAME} says otherwise
   * @throws dev.sluice.common.error.ListenException when the metrics port cannot be had
   */
  public static Telemetry start(String serviceName, TelemetryConfig config) {
    return config.enabled()
        ? new SdkStarter(serviceName, config).start(Function.identity())
        : noop();
  }

  /** Measures nothing; for tests and for processes that turn it off. */
  public static Telemetry noop() {
    return over(OpenTelemetry.noop());
  }

  /** Around an SDK that somebody else set up and closes; has no metrics endpoint. */
  public static Telemetry over(OpenTelemetry openTelemetry) {
    return new Telemetry(openTelemetry, Scrape.EMPTY, 0, () -> {});
  }

  public OpenTelemetry openTelemetry() {
    return openTelemetry;
  }

  public Tracer tracer() {
    return tracer;
  }

  public Meter meter() {
    return meter;
  }

  /** Continues the caller's trace; a span and metrics per call, nothing per message. */
  public ServerInterceptor serverInterceptor() {
    return serverInterceptor;
  }

  /** Sends the current trace along; a span and metrics per call, nothing per message. */
  public ClientInterceptor clientInterceptor() {
    return clientInterceptor;
  }

  /** The port of the Prometheus endpoint, chosen by the system if the configuration says 0. */
  public int metricsPort() {
    return metricsPort;
  }

  /**
   * Writes all metrics in the best format that the reader accepts.
   *
   * @param accept its Accept header, empty if it sent none
   * @return the content type
   */
  public String writeMetrics(String accept, OutputStream out) throws IOException {
    return scrape.write(accept, out);
  }

  /** Sends what is still to be sent, within the configured time, and closes the endpoint. */
  @Override
  public void close() {
    close.run();
  }
}
