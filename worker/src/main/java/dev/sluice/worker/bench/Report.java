package dev.sluice.worker.bench;

import dev.sluice.worker.engine.EngineSnapshot;
import dev.sluice.worker.graph.IntegerWeights;
import java.io.PrintStream;
import java.util.Locale;

/** Writes results as lines of JSON. */
final class Report {
  private static final double NANOS_PER_MILLI = 1e6;

  private final PrintStream out;
  private final String model;

  Report(PrintStream out, String model) {
    this.out = out;
    this.model = model;
  }

  /**
   * Tokens per second of streams.
   *
   * @param rates of prefill, decode, all
   */
  void serve(int streams, double[] rates) {
    line(
        "serve-" + streams,
        String.format(
            Locale.ROOT,
            "\"prefill\": %.1f, \"decode\": %.1f, \"all\": %.1f",
            rates[0],
            rates[1],
            rates[2]));
  }

  /** Tokens per second of one prompt. */
  void prefill(int tokens, double rate) {
    line("prefill-" + tokens, String.format(Locale.ROOT, "\"prefill\": %.1f", rate));
  }

  /** The tokens per second that the machine could reach, and the part that was reached. */
  void roofline(int tokens, IntegerWeights form, Roofline.Ceiling ceiling, double reachedRate) {
    double rate = tokens / ceiling.seconds();
    line(
        "roofline-" + form.type().name().toLowerCase(Locale.ROOT) + "-" + tokens,
        String.format(
            Locale.ROOT,
            "\"products_ms\": %.1f, \"attention_ms\": %.1f, \"prefill\": %.1f, \"reached\": %.2f",
            ceiling.productSeconds() * 1e3,
            ceiling.attentionSeconds() * 1e3,
            rate,
            reachedRate / rate));
  }

  /** Milliseconds of a step's phases, and the part of the step that is not the model's. */
  void profile(int streams, EngineProfile.Result result) {
    EngineSnapshot.Phases phases = result.phases();
    double perStep = NANOS_PER_MILLI * result.steps();
    line(
        "profile-" + streams,
        String.format(
            Locale.ROOT,
            "\"steps\": %d, \"step_ms\": %.3f, \"schedule_ms\": %.3f, \"model_ms\": %.3f,"
                + " \"sampling_ms\": %.3f, \"publish_ms\": %.3f, \"outside_model\": %.4f",
            result.steps(),
            result.total() / perStep,
            phases.scheduleNanos() / perStep,
            phases.modelNanos() / perStep,
            phases.samplingNanos() / perStep,
            phases.publishNanos() / perStep,
            result.outside()));
  }

  /** Tokens per second without and with drafts, and how many of these were right. */
  void speculation(SpeculationText text, SpeculationBench.Result result) {
    line(
        "speculation-" + text.label(),
        String.format(
            Locale.ROOT,
            "\"plain\": %.1f, \"speculative\": %.1f, \"gain\": %.3f, \"drafts\": %d,"
                + " \"accepted\": %d, \"identical\": %b",
            result.plain(),
            result.speculative(),
            result.speculative() / result.plain(),
            result.drafts(),
            result.accepted(),
            result.identical()));
  }

  private void line(String workload, String figures) {
    out.printf(
        "{\"engine\": \"sluice\", \"model\": \"%s\", \"workload\": \"%s\", %s}%n",
        model, workload, figures);
  }
}
