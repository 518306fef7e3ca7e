package dev.sluice.router.edge;

import io.grpc.Metadata;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The caller's trace, passed on as it came.
 *
 * @param values by header
 */
public record TraceHeaders(Map<String, String> values) {
  public static final TraceHeaders NONE = new TraceHeaders(Map.of());

  /** W3C's, and Zipkin's for those who configured it. */
  private static final List<String> NAMES =
      List.of(
          "traceparent",
          "tracestate",
          "baggage",
          "b3",
          "x-b3-traceid",
          "x-b3-spanid",
          "x-b3-sampled");

  public TraceHeaders {
    values = Map.copyOf(values);
  }

  /** Those of a request whose headers are found by their names. */
  public static TraceHeaders from(Function<String, Optional<String>> headers) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String name : NAMES) {
      headers.apply(name).filter(TraceHeaders::isPlain).ifPresent(v -> values.put(name, v));
    }
    return values.isEmpty() ? NONE : new TraceHeaders(values);
  }

  /** Those of a gRPC call. */
  public static TraceHeaders from(Metadata headers) {
    return from(name -> Optional.ofNullable(headers.get(key(name))));
  }

  /** New metadata with them. */
  public Metadata metadata() {
    Metadata metadata = new Metadata();
    values.forEach((name, value) -> metadata.put(key(name), value));
    return metadata;
  }

  /** gRPC refuses other characters by an exception. */
  private static boolean isPlain(String value) {
    return value.chars().allMatch(c -> c >= ' ' && c <= '~');
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
