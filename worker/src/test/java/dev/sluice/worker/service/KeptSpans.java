package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Keeps the spans that ended. Threading: thread-safe. */
final class KeptSpans implements SpanExporter {
  private final List<SpanData> spans = new CopyOnWriteArrayList<>();
  private final CountDownLatch missing;

  /**
   * @param expected how many {@link #await} waits for
   */
  KeptSpans(int expected) {
    missing = new CountDownLatch(expected);
  }

  void await() throws InterruptedException {
    assertThat(missing.await(20, TimeUnit.SECONDS)).isTrue();
  }

  /** In the order in which they ended. */
  List<SpanData> all() {
    return List.copyOf(spans);
  }

  SpanData span(String name) {
    return spans.stream().filter(s -> s.getName().equals(name)).findFirst().orElseThrow();
  }

  @Override
  public CompletableResultCode export(Collection<SpanData> batch) {
    spans.addAll(batch);
    batch.forEach(_ -> missing.countDown());
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
