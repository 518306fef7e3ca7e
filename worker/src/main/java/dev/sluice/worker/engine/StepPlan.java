package dev.sluice.worker.engine;

/**
 * What one step computes: of each sequence the next {@code count} tokens. Filled by {@link
 * Scheduler}; nothing in it has happened yet.
 *
 * <p>Threading: engine thread. Allocates nothing after construction.
 */
final class StepPlan {
  /** Most rows of logits of one step that are read for prompts: what they take is planned for. */
  static final int MAX_SCORED_ROWS = 64;

  private final Sequence[] sequences; // [maxSequences]
  private final int[] counts; // [maxSequences]
  private int size;
  private int tokens;
  private int decodes;
  private int scoredRows;

  StepPlan(int maxSequences) {
    sequences = new Sequence[maxSequences];
    counts = new int[maxSequences];
  }

  void clear() {
    size = 0;
    tokens = 0;
    decodes = 0;
    scoredRows = 0;
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
    scoredRows += sequence.scoredRows(count);
  }

  /** How many of the next {@code count} tokens of a sequence fit into the rows that are left. */
  int fitting(Sequence sequence, int count) {
    return sequence.limitScored(count, MAX_SCORED_ROWS - scoredRows);
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

  /** Of these, those whose logits score a token of the prompt. */
  int scoredRows(int index) {
    return sequences[index].scoredRows(counts[index]);
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

  /**
   * Packs the step. Rows of logits are in the order of the sequences; of each first those that
   * score its prompt, then the one of a sequence that completes.
   */
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
        if (sequence.isScoredAt(position)) {
          batch.addLogits();
        }
      }
      if (completes(i)) {
        batch.addLogits();
      }
    }
  }
}
