package dev.sluice.worker.engine;

import dev.sluice.worker.sampling.DecodingState;
import dev.sluice.worker.sampling.Sampler;
import dev.sluice.worker.sampling.TokenLogprob;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Chooses the token of one row, with what one thread needs for it. Order: bans by the least number
 * of tokens, bias, allowed and banned tokens, penalties, then the sampler's.
 *
 * <p>Threading: one object per thread. Allocates nothing after construction but log-probabilities.
 */
final class RowChooser {
  private final int vocabularySize;
  private final int tokenCount;
  private final Sampler sampler;
  private final MemorySegment copy; // [vocabularySize]

  /**
   * @param tokenCount tokens that can be chosen, from 0 on
   */
  RowChooser(int vocabularySize, int tokenCount) {
    this.vocabularySize = vocabularySize;
    this.tokenCount = tokenCount;
    this.sampler = new Sampler(vocabularySize, tokenCount);
    this.copy = Arena.ofAuto().allocate(ValueLayout.JAVA_FLOAT, vocabularySize);
  }

  /**
   * Chooses a token of a sequence. Changes the row only if no log-probabilities are asked for.
   *
   * @param logits [rows, vocabularySize]
   * @param position of the token in the output
   */
  int choose(MemorySegment logits, int row, Sequence sequence, int position) {
    GenerationTask task = sequence.request().task();
    DecodingState decoding = sequence.decoding();
    boolean tooEarly = position < task.minTokens();
    MemorySegment rows = logits;
    int index = row;
    if (tooEarly || decoding.changesLogits()) {
      if (task.outputLogprobs().isPresent()) {
        rows = copy(logits, row);
        index = 0;
      }
      long rowStart = (long) index * vocabularySize;
      if (tooEarly) {
        task.banEndings(rows, rowStart);
      }
      decoding.apply(rows, rowStart, tokenCount);
    }
    return sampler.sample(rows, index, task.sampling(), sequence.choice(), position);
  }

  /** Finds the most likely tokens behind a beam. */
  void rank(MemorySegment logits, int row, BeamRow ranked) {
    ranked.fill(sampler.mostLikely(logits, row, ranked.tokens(), ranked.logprobs()));
  }

  /** The log-probability of a token in a row as the model left it. */
  TokenLogprob logprob(MemorySegment logits, int row, int token, int topN) {
    return sampler.logprob(logits, row, token, topN);
  }

  private MemorySegment copy(MemorySegment logits, int row) {
    long first = (long) Float.BYTES * vocabularySize * row;
    MemorySegment.copy(logits, first, copy, 0, copy.byteSize());
    return copy;
  }
}
