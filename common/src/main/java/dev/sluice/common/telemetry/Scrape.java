package dev.sluice.common.telemetry;

import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.io.OutputStream;

/** Writes the state of all metrics as Prometheus reads them. */
@FunctionalInterface
interface Scrape {
  /** For a process without metrics: an empty page. */
  Scrape EMPTY = of(new PrometheusRegistry());

  /**
   * Writes one page.
   *
   * @param accept the reader's Accept header, empty if none; exemplars are only in OpenMetrics
   * @return the content type
   */
  String write(String accept, OutputStream out) throws IOException;

  static Scrape of(PrometheusRegistry registry) {
    ExpositionFormats formats = ExpositionFormats.init();
    return (accept, out) -> {
      ExpositionFormatWriter writer = formats.findWriter(accept);
      writer.write(out, VllmNames.added(registry.scrape()));
      return writer.getContentType();
    };
  }
}
