package dev.sluice.worker.runner;

import java.util.List;
import java.util.Optional;

/**
 * The rows of logits of some prompts, each as a hash of its bits. The first hash of a row is kept;
 * every later one is compared with it.
 */
final class CampaignRows {
  private final List<CampaignPrompt> prompts;
  private final long[][] hashes; // [prompt][row]
  private final boolean[][] known; // [prompt][row]
  private long compared;
  private long differences;
  private Optional<String> firstDifference = Optional.empty();

  CampaignRows(List<CampaignPrompt> prompts) {
    this.prompts = prompts;
    this.hashes = new long[prompts.size()][];
    this.known = new boolean[prompts.size()][];
    for (int i = 0; i < hashes.length; i++) {
      hashes[i] = new long[prompts.get(i).wanted().length];
      known[i] = new boolean[prompts.get(i).wanted().length];
    }
  }

  /** Keeps the hash, or compares it. */
  void put(int prompt, int row, long hash) {
    if (!known[prompt][row]) {
      known[prompt][row] = true;
      hashes[prompt][row] = hash;
      return;
    }
    compared++;
    if (hashes[prompt][row] != hash) {
      differences++;
      if (firstDifference.isEmpty()) {
        firstDifference =
            Optional.of(
                "prompt %d, position %d of %d: %016x (expected: %016x)"
                    .formatted(
                        prompt,
                        prompts.get(prompt).wanted()[row],
                        prompts.get(prompt).promptLength(),
                        hash,
                        hashes[prompt][row]));
      }
    }
  }

  /** Takes a row. */
  interface Visitor {
    void visit(int prompt, int row, long hash);
  }

  /** Visits every row that is known. */
  void forEach(Visitor visitor) {
    for (int prompt = 0; prompt < hashes.length; prompt++) {
      for (int row = 0; row < hashes[prompt].length; row++) {
        if (known[prompt][row]) {
          visitor.visit(prompt, row, hashes[prompt][row]);
        }
      }
    }
  }

  /** Rows compared since it was last reset. */
  long compared() {
    return compared;
  }

  /** Rows that differed since it was last reset. */
  long differences() {
    return differences;
  }

  /** The first row that differed since it was last reset. */
  Optional<String> firstDifference() {
    return firstDifference;
  }

  /** Counts from 0 again; what the rows are compared with stays. */
  void resetCounts() {
    compared = 0;
    differences = 0;
    firstDifference = Optional.empty();
  }

  /** 64 bits that change with any bit of the logits. */
  static long hash(float[] logits) {
    long hash = 0xCBF29CE484222325L;
    for (float logit : logits) {
      hash = (hash ^ Float.floatToRawIntBits(logit)) * 0x100000001B3L;
      hash ^= hash >>> 29;
    }
    return hash;
  }
}
