package dev.sluice.app.system;

import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.Span;
import java.util.HexFormat;
import java.util.List;

/** A span as a collector gets it, and the service that sent it. */
record ReceivedSpan(String service, Span span) {
  String name() {
    return span.getName();
  }

  String traceId() {
    return HexFormat.of().formatHex(span.getTraceId().toByteArray());
  }

  String id() {
    return HexFormat.of().formatHex(span.getSpanId().toByteArray());
  }

  String parentId() {
    return HexFormat.of().formatHex(span.getParentSpanId().toByteArray());
  }

  double seconds() {
    return (span.getEndTimeUnixNano() - span.getStartTimeUnixNano()) / 1e9;
  }

  List<String> eventNames() {
    return span.getEventsList().stream().map(Span.Event::getName).toList();
  }

  List<String> linkedIds() {
    return span.getLinksList().stream()
        .map(link -> HexFormat.of().formatHex(link.getSpanId().toByteArray()))
        .toList();
  }

  String text(String attribute) {
    return value(attribute).getStringValue();
  }

  long number(String attribute) {
    return value(attribute).getIntValue();
  }

  double real(String attribute) {
    return value(attribute).getDoubleValue();
  }

  List<String> texts(String attribute) {
    return value(attribute).getArrayValue().getValuesList().stream()
        .map(AnyValue::getStringValue)
        .toList();
  }

  private AnyValue value(String attribute) {
    return span.getAttributesList().stream()
        .filter(entry -> entry.getKey().equals(attribute))
        .map(KeyValue::getValue)
        .findFirst()
        .orElseThrow(() -> new AssertionError(attribute + " is missing in " + span));
  }

  @Override
  public String toString() {
    return service + ": " + name() + " " + id() + " below " + parentId();
  }
}
