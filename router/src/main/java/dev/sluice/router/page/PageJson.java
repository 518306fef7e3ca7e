package dev.sluice.router.page;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.sluice.router.edge.JsonBytes;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.page.LatencyWindow.Quantiles;
import dev.sluice.v1.Load;
import dev.sluice.v1.Model;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/**
 * What the page reads. Durations are in microseconds, shares go from 0 to 1, what is not known is
 * null.
 *
 * <p>Threading: no state.
 */
final class PageJson {
  private static final int MAX_WORKERS = 256; // of more, the page says how many it leaves out
  private static final double NANOS_PER_MICRO = 1e3;
  private static final double ROUNDING = 1e4;

  /** One line of a chart. */
  private record Column(String name, Function<Sample, OptionalDouble> value) {}

  private static final List<Column> COLUMNS =
      List.of(
          new Column("at", s -> OptionalDouble.of((double) s.atMillis())),
          new Column("ready", s -> OptionalDouble.of(s.ready())),
          new Column("running", s -> OptionalDouble.of(s.running())),
          new Column("waiting", s -> OptionalDouble.of(s.waiting())),
          new Column("queued", s -> OptionalDouble.of(s.queued())),
          new Column("kvOwned", s -> OptionalDouble.of(s.kvOwned())),
          new Column("kvCached", s -> OptionalDouble.of(s.kvCached())),
          new Column("prefixHits", Sample::prefixHits),
          new Column("tokens", s -> OptionalDouble.of(s.tokensPerSecond())),
          new Column("requests", s -> OptionalDouble.of(s.requestsPerSecond())),
          new Column("failures", s -> OptionalDouble.of(s.failuresPerSecond())),
          new Column("ttftP50", s -> micros(s.ttft(), Quantiles::p50Nanos)),
          new Column("ttftP99", s -> micros(s.ttft(), Quantiles::p99Nanos)),
          new Column("itlP50", s -> micros(s.itl(), Quantiles::p50Nanos)),
          new Column("itlP99", s -> micros(s.itl(), Quantiles::p99Nanos)));

  private PageJson() {}

  /** What does not change while the router runs. */
  record About(String version, String policy, long startMillis, long historySeconds) {}

  /** Everything: what a page needs that was just opened. */
  static byte[] snapshot(
      About about,
      FleetSnapshot fleet,
      List<Sample> history,
      List<WorkerRow> workers,
      List<RequestRecord> requests) {
    return JsonBytes.of(out -> {
      out.writeStartObject();
      out.writeStringField("kind", "snapshot");
      out.writeObjectFieldStart("router");
      out.writeStringField("version", about.version());
      out.writeStringField("policy", about.policy());
      out.writeNumberField("started", about.startMillis());
      out.writeNumberField("historySeconds", about.historySeconds());
      out.writeEndObject();
      models(out, fleet);
      out.writeObjectFieldStart("history");
      for (Column column : COLUMNS) {
        out.writeArrayFieldStart(column.name());
        for (Sample sample : history) {
          number(out, column.value().apply(sample));
        }
        out.writeEndArray();
      }
      out.writeEndObject();
      workers(out, workers);
      requests(out, requests);
      out.writeEndObject();
    });
  }

  /** What is new since the last second. */
  static byte[] update(
      FleetSnapshot fleet, Sample sample, List<WorkerRow> workers, List<RequestRecord> requests) {
    return JsonBytes.of(out -> {
      out.writeStartObject();
      out.writeStringField("kind", "update");
      models(out, fleet);
      out.writeObjectFieldStart("sample");
      for (Column column : COLUMNS) {
        out.writeFieldName(column.name());
        number(out, column.value().apply(sample));
      }
      out.writeEndObject();
      workers(out, workers);
      requests(out, requests);
      out.writeEndObject();
    });
  }

  private static void models(JsonGenerator out, FleetSnapshot fleet) throws IOException {
    out.writeArrayFieldStart("models");
    for (Model model : fleet.models()) {
      out.writeStartObject();
      out.writeStringField("id", model.getId());
      out.writeBooleanField("chat", model.getChatTemplate());
      out.writeNumberField("context", model.getContextLength());
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  private static void workers(JsonGenerator out, List<WorkerRow> workers) throws IOException {
    out.writeNumberField("workersLeftOut", Math.max(0, workers.size() - MAX_WORKERS));
    out.writeArrayFieldStart("workers");
    for (WorkerRow row : workers.subList(0, Math.min(workers.size(), MAX_WORKERS))) {
      worker(out, row);
    }
    out.writeEndArray();
  }

  private static void worker(JsonGenerator out, WorkerRow row) throws IOException {
    out.writeStartObject();
    out.writeStringField("address", row.view().address().toString());
    out.writeStringField("name", row.view().name());
    out.writeStringField("state", row.view().status().name().toLowerCase(Locale.ROOT));
    out.writeStringField("reason", row.view().reason());
    out.writeBooleanField("breakerOpen", !row.view().link().breaker().closed());
    out.writeStringField("model", row.view().report().map(r -> r.model().getId()).orElse(""));
    out.writeStringField(
        "version", row.view().report().map(r -> r.identity().getVersion()).orElse(""));
    out.writeNumberField("inFlight", row.view().link().inFlight());
    out.writeFieldName("tokens");
    number(out, OptionalDouble.of(row.tokensPerSecond()));
    out.writeFieldName("prefixHits");
    number(out, row.prefixHits());
    Optional<Load> load = Sampler.loadOf(row.view());
    if (load.isPresent()) {
      out.writeObjectFieldStart("load");
      out.writeNumberField("running", load.get().getRunningRequests());
      out.writeNumberField("waiting", load.get().getWaitingRequests());
      out.writeNumberField("prefill", load.get().getPendingPrefillTokens());
      out.writeNumberField("kvTotal", load.get().getKvBlocksTotal());
      out.writeNumberField("kvOwned", load.get().getKvBlocksOwned());
      out.writeNumberField("kvCached", load.get().getKvBlocksCached());
      out.writeNumberField("step", micros(load.get().getStepNanos()));
      out.writeEndObject();
    } else {
      out.writeNullField("load");
    }
    out.writeEndObject();
  }

  private static void requests(JsonGenerator out, List<RequestRecord> requests) throws IOException {
    out.writeArrayFieldStart("requests");
    for (RequestRecord request : requests) {
      request(out, request);
    }
    out.writeEndArray();
  }

  private static void request(JsonGenerator out, RequestRecord request) throws IOException {
    out.writeStartObject();
    out.writeNumberField("number", request.number());
    out.writeNumberField("at", request.arrivalMillis());
    out.writeStringField("id", request.id());
    out.writeStringField("trace", request.trace());
    out.writeStringField("method", request.method());
    out.writeStringField("model", request.model());
    out.writeStringField("tenant", request.tenant());
    out.writeStringField("status", request.status());
    out.writeStringField("reason", request.reason());
    out.writeStringField("finish", request.finish());
    out.writeNumberField("promptTokens", request.promptTokens());
    out.writeNumberField("cachedTokens", request.cachedTokens());
    out.writeNumberField("outputTokens", request.outputTokens());
    out.writeNumberField("prepare", micros(request.prepareNanos()));
    out.writeNumberField("wait", micros(request.waitNanos()));
    out.writeBooleanField("queued", request.queued());
    out.writeNumberField("route", micros(request.routeNanos()));
    out.writeNumberField("candidates", request.candidates());
    optional(out, "ttft", request.ttftNanos());
    optional(out, "itlMean", request.itlMeanNanos());
    optional(out, "itlMax", request.itlMaxNanos());
    out.writeNumberField("interrupted", micros(request.interruptedNanos()));
    out.writeNumberField("end", micros(request.endNanos()));
    out.writeArrayFieldStart("attempts");
    for (RequestRecord.Attempt attempt : request.attempts()) {
      out.writeStartObject();
      out.writeStringField("worker", attempt.worker());
      out.writeStringField("outcome", attempt.outcome());
      out.writeNumberField("start", micros(attempt.startNanos()));
      optional(out, "first", attempt.firstNanos());
      out.writeNumberField("end", micros(attempt.endNanos()));
      optional(out, "queue", attempt.queueNanos());
      optional(out, "prefill", attempt.prefillNanos());
      out.writeEndObject();
    }
    out.writeEndArray();
    out.writeEndObject();
  }

  private static void optional(JsonGenerator out, String name, OptionalLong nanos)
      throws IOException {
    if (nanos.isPresent()) {
      out.writeNumberField(name, micros(nanos.getAsLong()));
    } else {
      out.writeNullField(name);
    }
  }

  private static long micros(long nanos) {
    return Math.round(nanos / NANOS_PER_MICRO);
  }

  private static OptionalDouble micros(
      Optional<Quantiles> quantiles, ToLongFunction<Quantiles> which) {
    return quantiles.isPresent()
        ? OptionalDouble.of(which.applyAsLong(quantiles.get()) / NANOS_PER_MICRO)
        : OptionalDouble.empty();
  }

  /** Whole numbers without a point, others with four digits behind it. */
  private static void number(JsonGenerator out, OptionalDouble value) throws IOException {
    if (value.isEmpty()) {
      out.writeNull();
    } else if (value.getAsDouble() == Math.rint(value.getAsDouble())) {
      out.writeNumber((long) value.getAsDouble());
    } else {
      out.writeNumber(Math.rint(value.getAsDouble() * ROUNDING) / ROUNDING);
    }
  }
}
