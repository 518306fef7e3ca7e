package dev.sluice.router.testing;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Keeps the spans that ended. Threading: thread-safe. */
public final class KeptSpans implements SpanExporter {
  private static final long LIMIT_MILLIS = 20_000;

  private final List<SpanData> spans = new ArrayList<>(); // guarded by this

  public synchronized List<SpanData> all() {
    return List.copyOf(spans);
  }

  public synchronized List<SpanData> named(String name) {
    return spans.stream().filter(span -> span.getName().equals(name)).toList();
  }

  /** The span of this name, once it has ended. */
  public synchronized SpanData await(String name) {
    long deadline = System.nanoTime() + LIMIT_MILLIS * 1_000_000;
    while (named(name).isEmpty()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("no span " + name + " in " + spans);
      }
      try {
        wait(LIMIT_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new AssertionError("interrupted", e);
      }
    }
    return named(name).getFirst();
  }

  @Override
  public synchronized CompletableResultCode export(Collection<SpanData> batch) {
    spans.addAll(batch);
    notifyAll();
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
