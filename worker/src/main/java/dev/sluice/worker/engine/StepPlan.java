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
  private int size;
  private int tokens;
  private int decodes;

  StepPlan(int maxSequences) {
    sequences = new Sequence[maxSequences];
    counts = new int[maxSequences];
  }

  void clear() {
    size = 0;
    tokens = 0;
    decodes = 0;
  }

  void addDecode(Sequence sequence) {
    addPrefill(sequence, 1);
    decodes++;
  }

  void addPrefill(Sequence sequence, int count) {
    sequences[size] = sequence;
    counts[size] = count;
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

  /** Whether a sequence has nothing left to compute after this step, so that a token follows. */
  boolean completes(int index) {
    return counts[index] == sequences[index].remaining();
  }

  /** Packs the step; rows of logits are in the order of the sequences that complete. */
  void writeTo(StepBatch batch, ModelRunner.Geometry geometry) {
    int width = 1;
    for (int i = 0; i < size; i++) {
      width = Math.max(width, geometry.blocksFor(sequences[i].computed() + counts[i]));
    }
    batch.begin(width);
    for (int i = 0; i < size; i++) {
      Sequence sequence = sequences[i];
      int past = sequence.computed();
      int end = past + counts[i];
      batch.addSequence(past, sequence.table.blocks(), geometry.blocksFor(end));
      for (int position = past; position < end; position++) {
        batch.addToken(sequence.token(position));
      }
      if (completes(i)) {
        batch.addLogits();
      }
    }
  }
}
