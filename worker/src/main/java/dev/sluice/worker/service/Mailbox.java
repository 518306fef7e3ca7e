package dev.sluice.worker.service;

import dev.sluice.common.error.Refusal;
import dev.sluice.worker.engine.FinishCause;
import dev.sluice.worker.engine.GenerationListener;
import dev.sluice.worker.engine.GenerationSummary;
import dev.sluice.worker.engine.PrefillSummary;
import dev.sluice.worker.sampling.TokenLogprob;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

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
    record Complete(GenerationSummary summary) implements End {}

    /** It failed; the tokens before it stay valid. */
    record Failed(Refusal refusal, GenerationSummary summary) implements End {}
  }

  private final Runnable wake;
  private final List<TokenLogprob> promptLogprobs = new ArrayList<>();
  private final List<TokenLogprob> logprobs = new ArrayList<>(); // of all tokens, or of none
  private final List<Ending> endings = new ArrayList<>();
  private final List<Text> texts = new ArrayList<>(); // of an engine that gives no tokens
  private int[] tokens = new int[16];
  private int[] choices = new int[16]; // of the tokens; the complement if the token ends its choice
  private int count;
  private Optional<TokenLogprob> nextLogprob = Optional.empty(); // of the token to come
  private OptionalDouble score = OptionalDouble.empty(); // of the beam that ends next
  private Optional<PrefillSummary> prefill = Optional.empty();
  private Optional<End> end = Optional.empty();

  /**
   * How one choice ended.
   *
   * @param score of a beam
   */
  record Ending(int choice, FinishCause cause, OptionalDouble score) {}

  /**
   * The next text of a choice.
   *
   * @param tokens how many tokens it is counted as
   */
  record Text(int choice, String text, int tokens) {}

  /**
   * @param wake called on the engine thread after every put
   */
  Mailbox(Runnable wake) {
    this.wake = wake;
  }

  @Override
  public synchronized void onPromptLogprob(TokenLogprob logprob) {
    promptLogprobs.add(logprob);
  }

  @Override
  public synchronized void onPrefilled(PrefillSummary summary) {
    prefill = Optional.of(summary);
  }

  @Override
  public synchronized void onLogprob(int choice, TokenLogprob logprob) {
    nextLogprob = Optional.of(logprob); // it is taken with its token, never before
  }

  @Override
  public void onToken(int choice, int tokenId, boolean ending, long nanos) {
    synchronized (this) {
      if (count == tokens.length) {
        tokens = Arrays.copyOf(tokens, 2 * count);
        choices = Arrays.copyOf(choices, 2 * count);
      }
      if (nextLogprob.isPresent()) {
        logprobs.add(nextLogprob.get());
        nextLogprob = Optional.empty();
      }
      tokens[count] = tokenId;
      choices[count++] = ending ? ~choice : choice;
    }
    wake.run();
  }

  @Override
  public void onText(int choice, String text, int textTokens) {
    synchronized (this) {
      texts.add(new Text(choice, text, textTokens));
    }
    wake.run();
  }

  @Override
  public synchronized void onScore(int choice, double newScore) {
    score = OptionalDouble.of(newScore);
  }

  @Override
  public void onChoiceFinished(int choice, FinishCause cause) {
    synchronized (this) {
      endings.add(new Ending(choice, cause, score));
      score = OptionalDouble.empty();
    }
    wake.run();
  }

  @Override
  public void onComplete(GenerationSummary summary) {
    synchronized (this) {
      end = Optional.of(new End.Complete(summary));
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
    if (batch.tokens.length < count) {
      batch.tokens = new int[tokens.length];
      batch.choices = new int[tokens.length];
    }
    System.arraycopy(tokens, 0, batch.tokens, 0, count);
    System.arraycopy(choices, 0, batch.choices, 0, count);
    batch.count = count;
    count = 0;
    move(promptLogprobs, batch.promptLogprobs);
    move(logprobs, batch.logprobs);
    move(endings, batch.endings);
    move(texts, batch.texts);
    batch.prefill = prefill;
    batch.end = end;
  }

  private static <T> void move(List<T> from, List<T> to) {
    to.clear();
    if (!from.isEmpty()) {
      to.addAll(from);
      from.clear();
    }
  }

  /** A reusable copy of a mailbox's content. */
  static final class Batch {
    private final List<TokenLogprob> promptLogprobs = new ArrayList<>();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private final List<Ending> endings = new ArrayList<>();
    private final List<Text> texts = new ArrayList<>();
    private int[] tokens = new int[16];
    private int[] choices = new int[16];
    private int count;
    private Optional<PrefillSummary> prefill = Optional.empty();
    private Optional<End> end = Optional.empty();

    int count() {
      return count;
    }

    int token(int i) {
      return tokens[i];
    }

    /** Which choice a token belongs to. */
    int choice(int i) {
      return choices[i] < 0 ? ~choices[i] : choices[i];
    }

    /** Whether this token is the end-of-sequence or stop token that ends its choice. */
    boolean ends(int i) {
      return choices[i] < 0;
    }

    /** The log-probability of a token, if it was asked for. */
    Optional<TokenLogprob> logprob(int i) {
      return logprobs.isEmpty() ? Optional.empty() : Optional.of(logprobs.get(i));
    }

    /** New ones of the prompt, in order. */
    List<TokenLogprob> promptLogprobs() {
      return promptLogprobs;
    }

    /** New texts, in order, of an engine that gives no tokens. */
    List<Text> texts() {
      return texts;
    }

    /** Choices that have ended, after the tokens. */
    List<Ending> endings() {
      return endings;
    }

    Optional<PrefillSummary> prefill() {
      return prefill;
    }

    Optional<End> end() {
      return end;
    }
  }
}
