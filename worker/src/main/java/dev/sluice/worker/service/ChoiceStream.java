package dev.sluice.worker.service;

import dev.sluice.common.tokenizer.TextStream;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import dev.sluice.v1.TokenLogprob;
import dev.sluice.worker.engine.FinishCause;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.IntPredicate;

/**
 * One choice on its way to the client: its tokens become text, stop strings end it, and what may be
 * the beginning of one is held back.
 *
 * <p>Threading: one thread, the stream's.
 */
final class ChoiceStream {
  private final int choice;
  private final Optional<TextStream> text;
  private final StopMatcher stops;
  private final boolean includeStop;
  private final Outbox outbox;
  private int outputTokens;
  private long bytesToSkip;
  private OptionalDouble score = OptionalDouble.empty();
  private Optional<ChoiceFinished> finished = Optional.empty();
  private boolean finishedSent;

  /**
   * @param text of its tokens; none if the engine gives text itself
   */
  ChoiceStream(int choice, Optional<TextStream> text, GenerationPlan plan) {
    this.choice = choice;
    this.text = text;
    this.stops = new StopMatcher(plan.stop(), plan.includeStop());
    this.includeStop = plan.includeStop();
    this.outbox = new Outbox(choice);
  }

  /**
   * Takes the next token; those that come after a stop string are dropped.
   *
   * @param ending whether it is the end-of-sequence or stop token that ends the choice
   * @return whether it completes a stop string, so that no more are needed
   */
  boolean add(int token, boolean ending, Optional<TokenLogprob> logprob) {
    if (stops.matched().isPresent()) {
      return false;
    }
    outputTokens++;
    outbox.addToken(token, unsent(textOf(token, ending)), logprob);
    return stops.matched().isPresent();
  }

  /**
   * Takes the next text, of an engine that gives no tokens; what comes after a stop string is
   * dropped.
   *
   * @param tokens how many tokens it is counted as
   * @return whether it completes a stop string, so that no more is needed
   */
  boolean addText(String part, int tokens) {
    if (stops.matched().isPresent()) {
      return false;
    }
    outputTokens += tokens;
    outbox.addText(unsent(stops.append(part)));
    return stops.matched().isPresent();
  }

  /**
   * Goes on where the client has this much. Text that belongs to these tokens and was not sent is
   * sent next.
   *
   * @param isEnding tells tokens that end a choice
   */
  void resume(ResumePoint.Progress progress, IntPredicate isEnding) {
    bytesToSkip = progress.textBytes();
    outputTokens = progress.tokens().size();
    finishedSent = progress.finished();
    if (finishedSent) {
      return;
    }
    for (int token : progress.tokens()) {
      outbox.addText(unsent(textOf(token, isEnding.test(token))));
    }
  }

  /** Whether a stop string has ended it. */
  boolean isStopped() {
    return stops.matched().isPresent();
  }

  private String textOf(int token, boolean ending) {
    return ending && !includeStop ? "" : stops.append(text.orElseThrow().append(token));
  }

  /** Of the next text, what the client does not have. */
  private String unsent(String part) {
    int at = 0;
    while (bytesToSkip > 0 && at < part.length()) {
      int c = part.codePointAt(at);
      bytesToSkip -= c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
      at += Character.charCount(c);
    }
    return part.substring(at);
  }

  /** What a beam search made of it. */
  void score(double newScore) {
    score = OptionalDouble.of(newScore);
  }

  /** All tokens are there; does nothing when called again. */
  void end(FinishCause cause) {
    if (finished.isPresent() || finishedSent) {
      return;
    }
    if (stops.matched().isEmpty()) {
      outbox.addText(unsent(stops.append(text.map(TextStream::flush).orElse(""))));
      outbox.addText(unsent(stops.flush()));
    }
    ChoiceFinished.Builder message = Endings.choice(choice, cause, stops.matched()).toBuilder();
    score.ifPresent(message::setScore);
    finished = Optional.of(message.build());
  }

  /** Tokens delivered, or to be. */
  int outputTokens() {
    return outputTokens;
  }

  /** Bytes that wait, about. */
  int unsentBytes() {
    return outbox.unsentBytes();
  }

  /** Whether there is anything to send. */
  boolean hasNews() {
    return outbox.unsentBytes() > 0 || (finished.isPresent() && !finishedSent);
  }

  /** The next delta to send. */
  Optional<Delta> pollDelta() {
    return outbox.poll();
  }

  /** The last message of the choice, once, after all deltas. */
  Optional<ChoiceFinished> pollFinished() {
    if (finishedSent || outbox.unsentBytes() > 0) {
      return Optional.empty();
    }
    finishedSent = finished.isPresent();
    return finished;
  }

  /** How it ended, if it has. */
  Optional<ChoiceFinished> finished() {
    return finished;
  }

  /** Whether its last message was sent. */
  boolean isOver() {
    return finishedSent;
  }
}
