package dev.sluice.app.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.util.Durations;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What all requests of a measurement have in common. */
final class RequestOptions {
  @Option(
      names = {"-m", "--model"},
      paramLabel = "ID",
      description = "Model or alias. Default: the only one served; with --base-url the first one.")
  private String model = "";

  @Option(
      names = "--temperature",
      paramLabel = "X",
      description = "0 to 2. Default: ${DEFAULT-VALUE}, greedy.")
  private float temperature;

  @Option(
      names = "--honour-eos",
      description = "Answers may end early, at the end-of-sequence token.")
  private boolean honourEos;

  @Option(names = "--tenant", paramLabel = "NAME", description = "Whose requests they are.")
  private String tenant = "";

  @Option(names = "--priority", paramLabel = "N", description = "-100 to 100; higher first.")
  private int priority;

  @Option(
      names = "--ttft-target",
      paramLabel = "DURATION",
      description = "Asks for refusal at once of what would have its first token later.")
  private @Nullable Duration ttftTarget;

  /** The model's name; empty if none is given. */
  String model() {
    return model;
  }

  /** A request by gRPC, without prompt and length. */
  GenerateRequest template() {
    GenerateRequest.Builder request =
        GenerateRequest.newBuilder()
            .setModel(model)
            .setTenant(tenant)
            .setPriority(priority)
            .setSampling(Sampling.newBuilder().setTemperature(temperature))
            .setStopping(Stopping.newBuilder().setIgnoreEos(!honourEos));
    Optional.ofNullable(ttftTarget)
        .ifPresent(t -> request.setTtftTarget(Durations.fromNanos(t.toNanos())));
    return request.build();
  }

  /** Puts the fields of a request in OpenAI's and vLLM's names, without prompt and length. */
  void addTo(ObjectNode body) {
    body.put("temperature", temperature);
    if (!honourEos) {
      body.put("ignore_eos", true);
    }
    if (priority != 0) {
      body.put("priority", -priority); // vLLM: lower goes first
    }
  }

  /** What is told by HTTP headers that other servers do not know. */
  Map<String, String> headers() {
    Map<String, String> headers = new LinkedHashMap<>();
    if (!tenant.isEmpty()) {
      headers.put("x-sluice-tenant", tenant);
    }
    Optional.ofNullable(ttftTarget)
        .ifPresent(t -> headers.put("x-sluice-ttft-target-ms", Long.toString(t.toMillis())));
    return headers;
  }
}
