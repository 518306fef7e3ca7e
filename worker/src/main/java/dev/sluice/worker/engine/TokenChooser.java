package dev.sluice.worker.engine;

import dev.sluice.worker.sampling.Sampler;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
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
  private final int vocabularySize;
  private final Crew crew;
  private final Sampler[] samplers; // [members]
  private final Sequence[] sequences; // [maxSequences]; of the rows
  private final int[] tokens; // [maxSequences]
  private final @Nullable Throwable[] failures; // [maxSequences]
  private MemorySegment logits = MemorySegment.NULL; // [rows, vocabularySize]

  TokenChooser(ModelRunner runner, EngineConfig config) {
    ModelRunner.Geometry geometry = runner.geometry();
    int members = Math.min(config.samplingThreads(), geometry.maxSequences());
    int tokenCount = Math.min(config.tokens(), geometry.vocabularySize());
    this.runner = runner;
    this.vocabularySize = geometry.vocabularySize();
    this.crew = new Crew("sampler", members, this::choose);
    this.samplers = new Sampler[members];
    Arrays.setAll(samplers, member -> new Sampler(vocabularySize, tokenCount));
    this.sequences = new Sequence[geometry.maxSequences()];
    this.tokens = new int[geometry.maxSequences()];
    this.failures = new Throwable[geometry.maxSequences()];
  }

  void start() {
    crew.start();
  }

  /** Chooses a token for each row of a step's logits. */
  void choose(StepPlan plan) {
    int count = 0;
    for (int i = 0; i < plan.size(); i++) {
      Sequence sequence = plan.sequence(i);
      if (plan.rows(i) == 1) {
        sequences[count++] = sequence;
      } else if (plan.rows(i) > 1) { // the last token of a prompt, for all its choices
        Request request = sequence.request();
        for (int choice = 0; choice < request.choices(); choice++) {
          if (!request.sequence(choice).isEnded()) {
            sequences[count++] = request.sequence(choice);
          }
        }
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
    failures[row] = null;
    try {
      if (sequence.outputLength() < task.minTokens()) {
        task.banEndings(logits, (long) row * vocabularySize);
      }
      tokens[row] =
          samplers[member].sample(
              logits, row, task.sampling(), sequence.choice(), sequence.outputLength());
    } catch (RuntimeException | Error e) {
      failures[row] = e;
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

  /** Why no token could be chosen for a row. */
  @Nullable Throwable failure(int row) {
    return failures[row];
  }

  @Override
  public void close() {
    crew.close();
  }
}
