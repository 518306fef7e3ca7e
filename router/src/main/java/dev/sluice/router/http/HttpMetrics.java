package dev.sluice.router.http;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.Meter;
import java.util.List;

/** Measurements of HTTP requests, by the names of the HTTP convention. Threading: thread-safe. */
final class HttpMetrics {
  private static final AttributeKey<String> METHOD = AttributeKey.stringKey("http.request.method");
  private static final AttributeKey<String> ROUTE = AttributeKey.stringKey("http.route");
  private static final AttributeKey<Long> STATUS =
      AttributeKey.longKey("http.response.status_code");
  private static final AttributeKey<String> SCHEME = AttributeKey.stringKey("url.scheme");

  /** Seconds; the convention's, and on to what a long answer takes. */
  private static final List<Double> BUCKETS =
      List.of(
          0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0,
          60.0, 120.0, 300.0);

  private final DoubleHistogram duration;

  HttpMetrics(Meter meter) {
    duration =
        meter
            .histogramBuilder("http.server.request.duration")
            .setUnit("s")
            .setDescription("Time from an HTTP request's arrival to the end of its answer.")
            .setExplicitBucketBoundariesAdvice(BUCKETS)
            .build();
  }

  /**
   * A request is over.
   *
   * @param route one of ours, or empty: never what a client made up
   * @param status 499 if the client hung up
   */
  void answered(String method, String route, int status, double seconds) {
    duration.record(
        seconds,
        Attributes.of(METHOD, method(method), ROUTE, route, STATUS, (long) status, SCHEME, "http"));
  }

  private static String method(String method) {
    return switch (method) {
      case "GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH" -> method;
      default -> "_OTHER";
    };
  }
}
