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
  private final int[] drafts; // [maxSequences]
  private final int[] scores; // [maxSequences]; rows that score a prompt
  private int size;
  private int tokens;
  private int decodes;
  private int draftTokens;
  private int scoredRows;

  StepPlan(int maxSequences) {
    sequences = new Sequence[maxSequences];
    counts = new int[maxSequences];
    rows = new int[maxSequences];
    drafts = new int[maxSequences];
    scores = new int[maxSequences];
  }

  void clear() {
    size = 0;
    tokens = 0;
    decodes = 0;
    draftTokens = 0;
    scoredRows = 0;
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
    drafts[size] = 0;
    size++;
    tokens += count;
    scores[size - 1] = sequence.scoredRows(count);
    scoredRows += scores[size - 1];
  }

  /** How many of the next {@code count} tokens of a sequence fit into the rows that are left. */
  int fitting(Sequence sequence, int count) {
    return sequence.limitScored(count, ModelRunner.Geometry.MAX_SCORED_ROWS - scoredRows);
  }

  /** Of a sequence that decodes, computes drafts too, each with a row of logits. */
  void addDrafts(int index, int count) {
    drafts[index] = count;
    counts[index] += count;
    rows[index] += count;
    tokens += count;
    draftTokens += count;
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
    return scores[index];
  }

  /** Tokens of all sequences. */
  int tokens() {
    return tokens;
  }

  /** Tokens of prompts, and tokens computed again after preemption. */
  int prefillTokens() {
    return tokens - decodes - draftTokens;
  }

  /** Sequences that decode. */
  int decodes() {
    return decodes;
  }

  /** Tokens of a sequence that are proposed to follow its latest one. */
  int drafts(int index) {
    return drafts[index];
  }

  /**
   * Rows of logits of a sequence: one for its latest token and each draft; else none while
   * something is left to compute; one; or, when the step completes a prompt for several choices,
   * one for each of them.
   */
  int rows(int index) {
    return rows[index];
  }

  /**
   * Packs the step. Rows of logits are in the order of the sequences; of each first those that
   * score its prompt, then those from which tokens are chosen.
   */
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
        if (sequence.isScoredAt(position) || (position < end - 1 && drafts[i] > 0)) {
          batch.addLogits();
        }
      }
      for (int row = drafts[i]; row < rows[i]; row++) {
        batch.addLogits();
      }
    }
  }
}
