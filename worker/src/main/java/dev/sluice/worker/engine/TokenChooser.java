package dev.sluice.worker.engine;

import dev.sluice.worker.sampling.TokenLogprob;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the next tokens of a step's sequences, on several threads if there are many. Which thread
 * chooses makes no difference: a choice depends on its row and its request alone.
 *
 * <p>Threading: engine thread; its helpers read sequences and logits while it waits for them.
 * Allocates nothing after construction.
 */
final class TokenChooser implements AutoCloseable {
  /** With fewer rows it is done before a helper has woken. */
  private static final int ROWS_PER_MEMBER = 4;

  private final ModelRunner runner;
  private final Crew crew;
  private final RowChooser[] choosers; // [members]

  // [maxLogits]; of the rows
  private final Sequence[] sequences;
  private final int[] drafts; // of the sequence, before the row
  private final boolean[] scores; // whether the row is read to score a token of the prompt
  private final int[] tokens;
  private final Optional<TokenLogprob>[] logprobs;
  private final @Nullable Throwable[] failures;
  private MemorySegment logits = MemorySegment.NULL; // [rows, vocabularySize]

  @SuppressWarnings({"unchecked", "rawtypes"}) // an array of Optional
  TokenChooser(ModelRunner runner, EngineConfig config) {
    ModelRunner.Geometry geometry = runner.geometry();
    int members = Math.min(config.samplingThreads(), geometry.maxSequences());
    int tokenCount = Math.min(config.tokens(), geometry.vocabularySize());
    int rows = geometry.maxLogits();
    this.runner = runner;
    this.crew = new Crew("sampler", members, this::choose);
    this.choosers = new RowChooser[members];
    Arrays.setAll(choosers, member -> new RowChooser(geometry.vocabularySize(), tokenCount));
    this.sequences = new Sequence[rows];
    this.drafts = new int[rows];
    this.scores = new boolean[rows];
    this.tokens = new int[rows];
    this.logprobs = new Optional[rows];
    this.failures = new Throwable[rows];
  }

  void start() {
    crew.start();
  }

  /**
   * Scores the tokens of prompts and chooses a token for each sequence that a step completes; the
   * rows are in the order of {@link StepPlan#writeTo}.
   */
  void choose(StepPlan plan) {
    int count = 0;
    for (int i = 0; i < plan.size(); i++) {
      Sequence sequence = plan.sequence(i);
      for (int j = 0; j < plan.scoredRows(i); j++) {
        sequences[count] = sequence;
        scores[count] = true;
        tokens[count++] = sequence.token(sequence.firstScored() + j + 1);
      }
      Request request = sequence.request();
      boolean forks = !request.isForked() && request.beams().isEmpty();
      if (plan.rows(i) > 0 && forks) { // the last token of a prompt, for all choices
        for (int choice = 0; choice < request.choices(); choice++) {
          if (!request.sequence(choice).isEnded()) {
            scores[count] = false;
            drafts[count] = 0;
            sequences[count++] = request.sequence(choice);
          }
        }
        continue;
      }
      for (int row = 0; row < plan.rows(i); row++) {
        scores[count] = false;
        drafts[count] = row;
        sequences[count++] = sequence;
      }
    }
    if (count > 0) {
      logits = runner.logits();
      crew.run(count, count / ROWS_PER_MEMBER);
    }
  }

  private void choose(int member, int row) {
    Sequence sequence = sequences[row];
    GenerationTask task = sequence.request().task();
    RowChooser chooser = choosers[member];
    failures[row] = null;
    logprobs[row] = Optional.empty();
    try {
      if (scores[row]) {
        score(chooser, row, task.promptLogprobs());
      } else if (sequence.request().beams().isPresent()) {
        chooser.rank(logits, row, sequence.request().beams().get().row(sequence));
      } else {
        int position = sequence.outputLength() + drafts[row];
        tokens[row] = chooser.choose(logits, row, sequence, position);
        score(chooser, row, task.outputLogprobs());
      }
    } catch (RuntimeException | Error e) {
      failures[row] = e;
    }
  }

  private void score(RowChooser chooser, int row, OptionalInt topN) {
    if (topN.isPresent()) {
      logprobs[row] = Optional.of(chooser.logprob(logits, row, tokens[row], topN.getAsInt()));
    }
  }

  /** The sequence whose token a row gives. */
  Sequence sequence(int row) {
    return sequences[row];
  }

  /** The token of a row, if there is no {@link #failure}. */
  int token(int row) {
    return tokens[row];
  }

  /** The log-probability of a row's token, if it was asked for. */
  Optional<TokenLogprob> logprob(int row) {
    return logprobs[row];
  }

  /** Why no token could be chosen for a row. */
  @Nullable Throwable failure(int row) {
    return failures[row];
  }

  @Override
  public void close() {
    crew.close();
  }
}
