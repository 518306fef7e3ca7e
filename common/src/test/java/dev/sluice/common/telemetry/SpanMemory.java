package dev.sluice.common.telemetry;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Keeps ended spans. */
final class SpanMemory implements SpanExporter {
  private final List<SpanData> spans = new CopyOnWriteArrayList<>();
  private final CountDownLatch expected;

  SpanMemory() {
    this(0);
  }

  /**
   * @param expected how many spans {@link #await} waits for
   */
  SpanMemory(int expected) {
    this.expected = new CountDownLatch(expected);
  }

  record Ended(SpanData span) {
    Map<String, Object> resource() {
      Map<String, Object> attributes = new HashMap<>();
      span.getResource()
          .getAttributes()
          .forEach((key, value) -> attributes.put(key.getKey(), value));
      return attributes;
    }
  }

  List<SpanData> await() throws InterruptedException {
    if (!expected.await(20, TimeUnit.SECONDS)) {
      throw new AssertionError("missing spans; have " + spans);
    }
    return spans;
  }

  Ended only(String name) {
    List<SpanData> found = spans.stream().filter(span -> span.getName().equals(name)).toList();
    if (found.size() != 1) {
      throw new AssertionError("expected one span " + name + ", have " + spans);
    }
    return new Ended(found.getFirst());
  }

  @Override
  public CompletableResultCode export(Collection<SpanData> ended) {
    spans.addAll(ended);
    ended.forEach(_ -> expected.countDown());
    return CompletableResultCode.ofSuccess();
  }

  @Override
  public CompletableResultCode flush() {
    return CompletableResultCode.ofSuccess();
  }

  @Override
  public CompletableResultCode shutdown() {
    return CompletableResultCode.ofSuccess();
  }
}
