package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Quantization;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/**
 * Computes the logits of random prompts in many ways and compares their bits; prints a line for
 * each way.
 */
final class BitIdentity {
  private final Quantization quantization;
  private final List<CampaignPrompt> prompts;
  private final CampaignRows rows;
  private long differences;
  private Optional<String> firstDifference = Optional.empty();

  /** A way to compute; throws what tests throw. */
  private interface Computation {
    void run() throws IOException, InterruptedException;
  }

  BitIdentity(Quantization quantization, int prompts) {
    this.quantization = quantization;
    this.prompts = CampaignPrompt.list(prompts);
    this.rows = new CampaignRows(this.prompts);
  }

  static void printHeader() {
    System.out.printf(
        "%-12s %-52s %7s %6s %8s %11s%n",
        "quantization", "computed", "prompts", "rows", "seconds", "differences");
  }

  /** The first difference there was. */
  Optional<String> firstDifference() {
    return firstDifference;
  }

  long differences() {
    return differences;
  }

  /** Computes the reference, then every combination of batch, chunk and blocks. */
  void everyVariant() throws IOException, InterruptedException {
    inThisProcess(CampaignVariant.all(), variant -> variant.share(prompts));
  }

  /** Computes the reference, then so much that every two of batch, chunk and blocks meet. */
  void everyPair() throws IOException, InterruptedException {
    inThisProcess(CampaignVariant.pairwise(), variant -> variant.sample(prompts));
  }

  /** Computes the reference alone. */
  void reference() throws IOException, InterruptedException {
    inThisProcess(List.of(), _ -> prompts);
  }

  private void inThisProcess(
      List<CampaignVariant> variants, Function<CampaignVariant, List<CampaignPrompt>> choice)
      throws IOException, InterruptedException {
    try (OrtModelRunner runner = CampaignModel.load(quantization)) {
      measure(
          "reference: " + CampaignVariant.REFERENCE,
          prompts.size(),
          () -> new CampaignRun(runner, prompts, CampaignVariant.REFERENCE, rows).run());
      for (CampaignVariant variant : variants) {
        List<CampaignPrompt> some = choice.apply(variant);
        measure(
            variant.toString(),
            some.size(),
            () -> new CampaignRun(runner, some, variant, rows).run());
      }
    }
  }

  /** Computes in a fresh process with these options, some of the shortest prompts or all. */
  void inAnotherProcess(String name, int count, CampaignVariant variant, String... options)
      throws IOException, InterruptedException {
    List<CampaignPrompt> some =
        count >= prompts.size()
            ? prompts
            : prompts.stream()
                .sorted(Comparator.comparingInt(CampaignPrompt::promptLength))
                .limit(count)
                .toList();
    measure(
        name + ": " + variant,
        some.size(),
        () ->
            CampaignProcess.compare(quantization, some, prompts, variant, rows, List.of(options)));
  }

  /** The first step of a fresh process is that of this prompt. */
  void inTheFirstStep(int prompt) throws IOException, InterruptedException {
    measure(
        "first step of a process: prompt " + prompt,
        1,
        () ->
            CampaignProcess.compare(
                quantization,
                List.of(prompts.get(prompt)),
                prompts,
                CampaignVariant.REFERENCE,
                rows,
                List.of()));
  }

  private void measure(String name, int count, Computation computation)
      throws IOException, InterruptedException {
    rows.resetCounts();
    long start = System.nanoTime();
    computation.run();
    System.out.printf(
        Locale.ROOT,
        "%-12s %-52s %7d %6d %8.1f %11d%n",
        quantization.label(),
        name,
        count,
        rows.compared(),
        (System.nanoTime() - start) / 1e9,
        rows.differences());
    differences += rows.differences();
    if (rows.firstDifference().isPresent()) {
      String first = quantization.label() + ", " + name + ", " + rows.firstDifference().get();
      System.out.println("  first: " + first);
      firstDifference = firstDifference.or(() -> Optional.of(first));
    }
  }
}
