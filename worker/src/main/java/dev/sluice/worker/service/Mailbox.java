package dev.sluice.worker.service;

import dev.sluice.common.error.Refusal;
import dev.sluice.worker.engine.FinishCause;
import dev.sluice.worker.engine.GenerationListener;
import dev.sluice.worker.engine.GenerationSummary;
import dev.sluice.worker.engine.PrefillSummary;
import java.util.Arrays;
import java.util.Optional;

/**
 * What the engine said of one request and its stream has not read yet. Bounded by the tokens of one
 * request.
 *
 * <p>Threading: the engine thread puts, the stream's thread takes; the lock is held for a copy
 * only, so the engine never waits for a client. Every put wakes the stream.
 */
final class Mailbox implements GenerationListener {
  /** How a request ended. */
  sealed interface End {
    /** All tokens are there. */
    record Complete(FinishCause cause, GenerationSummary summary) implements End {}

    /** It failed; the tokens before it stay valid. */
    record Failed(Refusal refusal, GenerationSummary summary) implements End {}
  }

  private final Runnable wake;
  private int[] tokens = new int[16];
  private int count;
  private boolean lastTokenEnds;
  private Optional<PrefillSummary> prefill = Optional.empty();
  private Optional<FinishCause> cause = Optional.empty();
  private Optional<End> end = Optional.empty();

  /**
   * @param wake called on the engine thread after every put
   */
  Mailbox(Runnable wake) {
    this.wake = wake;
  }

  @Override
  public void onPrefilled(PrefillSummary summary) {
    synchronized (this) {
      prefill = Optional.of(summary);
    }
  }

  @Override
  public void onToken(int choice, int tokenId, boolean ending, long nanos) {
    synchronized (this) {
      if (count == tokens.length) {
        tokens = Arrays.copyOf(tokens, 2 * count);
      }
      tokens[count++] = tokenId;
      lastTokenEnds = ending;
    }
    wake.run();
  }

  @Override
  public void onChoiceFinished(int choice, FinishCause finishCause) {
    synchronized (this) {
      cause = Optional.of(finishCause);
    }
  }

  @Override
  public void onComplete(GenerationSummary summary) {
    synchronized (this) {
      end = Optional.of(new End.Complete(cause.orElseThrow(), summary));
    }
    wake.run();
  }

  @Override
  public void onFailed(Refusal refusal, GenerationSummary summary) {
    synchronized (this) {
      end = Optional.of(new End.Failed(refusal, summary));
    }
    wake.run();
  }

  /** Moves all tokens and the latest news into the batch. */
  synchronized void take(Batch batch) {
    batch.tokens = batch.tokens.length < count ? new int[tokens.length] : batch.tokens;
    System.arraycopy(tokens, 0, batch.tokens, 0, count);
    batch.count = count;
    batch.lastTokenEnds = lastTokenEnds;
    batch.prefill = prefill;
    batch.end = end;
    count = 0;
  }

  /** A reusable copy of a mailbox's content. */
  static final class Batch {
    private int[] tokens = new int[16];
    private int count;
    private boolean lastTokenEnds;
    private Optional<PrefillSummary> prefill = Optional.empty();
    private Optional<End> end = Optional.empty();

    int count() {
      return count;
    }

    int token(int i) {
      return tokens[i];
    }

    /** Whether this token is the end-of-sequence or stop token that ends the choice. */
    boolean ends(int i) {
      return lastTokenEnds && i == count - 1;
    }

    Optional<PrefillSummary> prefill() {
      return prefill;
    }

    Optional<End> end() {
      return end;
    }
  }
}
