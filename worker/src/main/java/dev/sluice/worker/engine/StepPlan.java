package dev.sluice.worker.engine;

/**
 * What one step computes: of each sequence the next {@code count} tokens. Filled by {@link
 * Scheduler}; nothing in it has happened yet.
 *
 * <p>Threading: engine thread. Allocates nothing after construction.
 */
final class StepPlan {
  private final Sequence[] sequences; // [maxSequences]
  private final int[] counts; // [maxSequences]
  private final int[] rows; // [maxSequences]
  private int size;
  private int tokens;
  private int decodes;

  StepPlan(int maxSequences) {
    sequences = new Sequence[maxSequences];
    counts = new int[maxSequences];
    rows = new int[maxSequences];
  }

  void clear() {
    size = 0;
    tokens = 0;
    decodes = 0;
  }

  void addDecode(Sequence sequence) {
    addPrefill(sequence, 1, 1);
    decodes++;
  }

  /**
   * @param logits rows of logits for the last of these tokens
   */
  void addPrefill(Sequence sequence, int count, int logits) {
    sequences[size] = sequence;
    counts[size] = count;
    rows[size] = logits;
    size++;
    tokens += count;
  }

  int size() {
    return size;
  }

  Sequence sequence(int index) {
    return sequences[index];
  }

  /** Tokens that this step computes of a sequence. */
  int count(int index) {
    return counts[index];
  }

  /** Tokens of all sequences. */
  int tokens() {
    return tokens;
  }

  /** Sequences, and so tokens, that decode. */
  int decodes() {
    return decodes;
  }

  /**
   * Rows of logits of a sequence: none while something is left to compute; one; or, when the step
   * completes a prompt for several choices, one for each of them.
   */
  int rows(int index) {
    return rows[index];
  }

  /** Packs the step; rows of logits are in the order of the sequences that complete. */
  void writeTo(StepBatch batch, BlockCopies copies, ModelRunner.Geometry geometry) {
    int width = 1;
    for (int i = 0; i < size; i++) {
      width = Math.max(width, geometry.blocksFor(sequences[i].computed() + counts[i]));
    }
    batch.begin(width);
    for (int i = 0; i < copies.size(); i++) {
      batch.addCopy(copies.from(i), copies.to(i));
    }
    for (int i = 0; i < size; i++) {
      Sequence sequence = sequences[i];
      int past = sequence.computed();
      int end = past + counts[i];
      batch.addSequence(past, sequence.table.blocks(), geometry.blocksFor(end));
      for (int position = past; position < end; position++) {
        batch.addToken(sequence.token(position));
      }
      for (int row = 0; row < rows[i]; row++) {
        batch.addLogits();
      }
    }
  }
}
