package dev.sluice.worker.runner;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * One way to compute the same logits.
 *
 * @param batch most sequences of a step
 * @param chunk most tokens of a sequence in a step
 * @param mode what happens to the blocks
 */
record CampaignVariant(int batch, int chunk, Mode mode) {
  /** What happens to a sequence's blocks. */
  enum Mode {
    /** They are its own until it ends. */
    OWN,
    /** It loses them once, at any point, and is computed again in others. */
    PREEMPTED,
    /** The first ones are another sequence's, which begins alike. */
    SHARED
  }

  private static final int[] BATCHES = {1, 2, 7, 32};
  private static final int[] CHUNKS = {1, 7, 64, 512};

  private static final int SAMPLE_STEPS = 100;
  private static final int SAMPLE_PROMPTS = 4;

  /** What the others are compared with: every prompt alone, in whole chunks. */
  static final CampaignVariant REFERENCE = new CampaignVariant(1, 512, Mode.OWN);

  /** Every combination but the reference. */
  static List<CampaignVariant> all() {
    List<CampaignVariant> variants = new ArrayList<>();
    for (int batch : BATCHES) {
      for (int chunk : CHUNKS) {
        for (Mode mode : Mode.values()) {
          variants.add(new CampaignVariant(batch, chunk, mode));
        }
      }
    }
    variants.remove(REFERENCE);
    return variants;
  }

  /** So few that every two of batch size, chunk size and mode meet. */
  static List<CampaignVariant> pairwise() {
    List<CampaignVariant> variants = new ArrayList<>();
    Mode[] modes = Mode.values();
    for (int b = 0; b < BATCHES.length; b++) {
      for (int c = 0; c < CHUNKS.length; c++) {
        variants.add(new CampaignVariant(BATCHES[b], CHUNKS[c], modes[(b + c + 1) % modes.length]));
      }
    }
    return variants;
  }

  /**
   * As many of these prompts as fill the batch twice, without those that take many steps: enough to
   * meet what differs, in little time.
   */
  List<CampaignPrompt> sample(List<CampaignPrompt> prompts) {
    return prompts.stream()
        .filter(prompt -> prompt.tokens().length <= SAMPLE_STEPS * chunk)
        .limit(Math.max(SAMPLE_PROMPTS, 2 * batch))
        .toList();
  }

  /**
   * A third of these prompts, whole families: over all variants every prompt is computed once with
   * each batch size and chunk size together, and with each mode a third of the times.
   */
  List<CampaignPrompt> share(List<CampaignPrompt> prompts) {
    int place =
        Arrays.binarySearch(BATCHES, batch)
            + Arrays.binarySearch(CHUNKS, chunk)
            + Arrays.asList(Mode.values()).indexOf(mode);
    return prompts.stream()
        .filter(prompt -> (prompt.family() + place) % Mode.values().length == 0)
        .toList();
  }

  @Override
  public String toString() {
    return "batch " + batch + ", chunks of " + chunk + ", " + mode.name().toLowerCase(Locale.ROOT);
  }
}
