package dev.sluice.worker.engine;

/**
 * Decides which tokens to propose to follow a sequence's latest one, so that one step can check
 * them all: those that followed the same tokens earlier in prompt or output. What is output does
 * not depend on it: a draft counts only if it is the token that is chosen at its position.
 * Penalties, constraints and beams change with every token, so there are no drafts beside them.
 *
 * <p>A draft pays if the time of a step that it saves, by its probability to be accepted, exceeds
 * the time that its row adds to this step. Both are learnt: the time of a step over its rows is
 * fitted by a line, older steps counting less and less.
 *
 * <p>Threading: engine thread. Allocates an index for each sequence, nothing for a token.
 */
final class Speculation {
  /** More sequences leave nothing to gain: their rows fill the processor. */
  private static final int MAX_SEQUENCES = 16;

  private static final double MEMORY = 0.97;

  /** What is assumed before rows were seen to make a difference: a row adds this of a step. */
  private static final double FIRST_ROW_SHARE = 0.1;

  /** Gains below this are not worth the risk that the estimates are wrong. */
  private static final double MARGIN = 1.15;

  private final int mostDrafts;
  private double steps; // of the latest, decaying; the sums below likewise
  private double rows;
  private double squares;
  private double nanos;
  private double products;
  private long drafts;
  private long accepted;

  /**
   * @param mostDrafts for a sequence in a step; 0 turns speculation off
   */
  Speculation(int mostDrafts) {
    this.mostDrafts = mostDrafts;
  }

  /** Whether drafts are worth a thought in a step of so many sequences that all decode. */
  boolean isPossible(int sequences) {
    return mostDrafts > 0 && sequences <= MAX_SEQUENCES;
  }

  /** Drafts that were checked. */
  long drafts() {
    return drafts;
  }

  /** Drafts that were right. */
  long accepted() {
    return accepted;
  }

  /**
   * Proposes tokens to follow a decoding sequence, in {@link Sequence#propose}.
   *
   * @param most limit beside that of the configuration
   * @param sequences in the step
   * @return how many
   */
  int propose(Sequence sequence, int most, int sequences) {
    int room = Math.min(Math.min(most, mostDrafts), sequence.room() - 1);
    boolean sampled = sequence.request().beams().isEmpty();
    if (room < 1 || !sampled || sequence.decoding().dependsOnOutput()) {
      return 0;
    }
    int from = sequence.ngrams().find(sequence.tokens(), sequence.length());
    if (from == 0) {
      return 0;
    }
    int count = worthwhile(sequence.acceptance().probability(), sequences, room);
    if (count == 0 && sequence.acceptance().isDue()) {
      count = 1;
    }
    sequence.propose(from, count);
    return count;
  }

  /** How many drafts pay, each accepted with this probability if those before it were. */
  private int worthwhile(double probability, int sequences, int most) {
    double row = rowShare(sequences) * MARGIN;
    double reached = probability;
    int count = 0;
    while (count < most && reached > row * sequences) {
      count++;
      reached *= probability;
    }
    return count;
  }

  /** Time that a row adds, as a part of the time of a step that has one row for each sequence. */
  private double rowShare(int sequences) {
    double variance = steps * squares - rows * rows;
    if (steps < 8 || variance < 0.05 * steps * steps || nanos <= 0) {
      return FIRST_ROW_SHARE / Math.sqrt(sequences);
    }
    double perRow = (steps * products - rows * nanos) / variance;
    double plain = (nanos - perRow * rows) / steps + perRow * sequences;
    return plain <= 0 ? 1 : Math.clamp(perRow / plain, 0.01, 1.0);
  }

  /** A step has computed so many rows, one for each sequence and one for each draft. */
  void observeStep(int stepRows, long stepNanos) {
    if (mostDrafts == 0) {
      return;
    }
    double mean = steps > 0 ? nanos / steps : stepNanos;
    double usual = Math.min((double) stepNanos, 4 * mean); // one that was held up says nothing
    steps = MEMORY * steps + 1;
    rows = MEMORY * rows + stepRows;
    squares = MEMORY * squares + (double) stepRows * stepRows;
    nanos = MEMORY * nanos + usual;
    products = MEMORY * products + stepRows * usual;
  }

  /** So many of a sequence's drafts were right. */
  void observeDrafts(Sequence sequence, int count, int right) {
    drafts += count;
    accepted += right;
    sequence.acceptance().observe(count, right);
  }
}
