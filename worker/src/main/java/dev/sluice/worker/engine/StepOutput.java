package dev.sluice.worker.engine;

import dev.sluice.worker.sampling.NoTokenLeftException;
import java.util.Optional;

/**
 * Hands out what a step has computed: tokens, and whether choices end with them.
 *
 * <p>Threading: engine thread. A token allocates nothing.
 */
final class StepOutput {

  private final Scheduler scheduler;
  private final KvBlocks blocks;
  private final TokenChooser chooser;
  private final Speculation speculation;
  private final Admission admission;
  private final RequestEnds ends;
  private final EngineObserver observer;
  private final NanoClock clock;
  private long outputTokens;

  StepOutput(
      Scheduler scheduler,
      KvBlocks blocks,
      TokenChooser chooser,
      Speculation speculation,
      Admission admission,
      RequestEnds ends,
      EngineObserver observer,
      NanoClock clock) {
    this.scheduler = scheduler;
    this.blocks = blocks;
    this.chooser = chooser;
    this.speculation = speculation;
    this.admission = admission;
    this.ends = ends;
    this.observer = observer;
    this.clock = clock;
  }

  /** Output tokens of all requests. */
  long outputTokens() {
    return outputTokens;
  }

  /** The step has happened: its sequences advance, and those with nothing left get a token. */
  void commit(StepPlan plan) {
    long now = clock.nanos();
    int row = 0;
    for (int i = 0; i < plan.size(); i++) {
      Sequence sequence = plan.sequence(i);
      Request request = sequence.request();
      int scoredEnd = row + plan.scoredRows(i);
      int end = scoredEnd + plan.rows(i);
      for (; row < scoredEnd && !request.isEnded(); row++) {
        score(sequence, row);
      }
      if (!request.isEnded()) { // by another choice, in this step
        row = scoredEnd;
        blocks.advance(sequence, plan.count(i) - plan.drafts(i), now);
        if (plan.drafts(i) > 0) {
          produceWithDrafts(sequence, plan.drafts(i), row, now);
        } else {
          if (row < end && !request.isForked()) {
            blocks.fork(request);
          }
          for (; row < end && !request.isEnded(); row++) {
            produce(chooser.sequence(row), row);
          }
        }
      }
      row = end;
    }
  }

  /**
   * Hands out a sequence's next token, and as many more as its drafts were right: a row of logits
   * counts if the tokens before it are those that were chosen.
   */
  private void produceWithDrafts(Sequence sequence, int drafts, int row, long now) {
    int right = 0;
    boolean more = true;
    while (more) {
      boolean last = right == drafts;
      int draft = last ? 0 : sequence.token(sequence.length());
      produce(sequence, row + right);
      more = !last && !sequence.isEnded() && !sequence.request().isEnded();
      if (more && chooser.token(row + right) == draft) {
        blocks.advance(sequence, 1, now);
        right++;
      } else {
        more = false;
      }
    }
    speculation.observeDrafts(sequence, drafts, right);
    if (!sequence.isEnded() && !sequence.request().isEnded()) {
      blocks.dropDrafts(sequence);
      scheduler.accept(sequence, right);
    }
  }

  /** Hands out the log-probability of a prompt's next token. */
  private void score(Sequence sequence, int row) {
    Request request = sequence.request();
    if (hasFailed(request, row)) {
      return;
    }
    sequence.markScored();
    try {
      request.listener().onPromptLogprob(chooser.logprob(row).orElseThrow());
    } catch (Throwable e) {
      ends.failListener(request, e);
    }
  }

  /** Whether a request has ended in this step before, or ends because of this row. */
  private boolean hasFailed(Request request, int row) {
    if (request.isEnded()) {
      return true;
    }
    Throwable failure = chooser.failure(row);
    if (failure == null) {
      return false;
    }
    RequestEnds.logError("Request {}: no token could be chosen", request, failure);
    ends.fail(
        request,
        RequestEnds.internal(request, "no token could be chosen: " + failure.getMessage()));
    return true;
  }

  /** Hands out a sequence's next token. */
  private void produce(Sequence sequence, int row) {
    Request request = sequence.request();
    if (chooser.failure(row) instanceof NoTokenLeftException
        && sequence.decoding().isConstrained()
        && !request.isEnded()) {
      endDead(sequence);
      return;
    }
    if (hasFailed(request, row)) {
      return;
    }
    if (request.beams().isPresent()) {
      if (request.beams().get().accept(sequence, blocks)) {
        finishBeams(request, request.beams().get());
      }
      return;
    }
    GenerationTask task = request.task();
    int token = chooser.token(row);
    long now = clock.nanos();
    long gap = sequence.append(token, now);
    outputTokens++;
    boolean first = request.markToken(now);
    if (first) {
      observer.onFirstToken(task, request.ttftNanos());
      admission.started(request);
    } else if (sequence.chosenLength() > 1) {
      observer.onNextToken(task, gap);
    }
    try {
      tellPrefilled(request);
      if (chooser.logprob(row).isPresent()) {
        request.listener().onLogprob(sequence.choice(), chooser.logprob(row).get());
      }
      request.listener().onToken(sequence.choice(), token, task.endsChoice(token), now);
    } catch (Throwable e) {
      ends.failListener(request, e);
      return;
    }
    Optional<FinishCause> cause = ending(sequence);
    if (cause.isPresent()) {
      ends.complete(sequence, cause.get(), Integer.MAX_VALUE);
    }
  }

  /** Hands out the best beams. */
  private void finishBeams(Request request, BeamSearch search) {
    long now = clock.nanos();
    request.markToken(now);
    observer.onFirstToken(request.task(), request.ttftNanos());
    GenerationListener listener = request.listener();
    try {
      listener.onPrefilled(request.prefillSummary());
      int choice = 0;
      for (BeamSearch.Hypothesis best : search.best()) {
        int[] tokens = best.tokens();
        for (int i = 0; i < tokens.length; i++) {
          if (!best.logprobs().isEmpty()) {
            listener.onLogprob(choice, best.logprobs().get(i));
          }
          listener.onToken(choice, tokens[i], request.task().endsChoice(tokens[i]), now);
          request.markBeamToken();
          outputTokens++;
        }
        listener.onScore(choice, best.score());
        listener.onChoiceFinished(choice++, best.cause());
      }
    } catch (Throwable e) {
      ends.failListener(request, e);
      return;
    }
    for (int i = 0; i < request.choices(); i++) {
      scheduler.end(request.sequence(i), 0);
    }
    ends.completeWithoutChoices(request);
  }

  private static void tellPrefilled(Request request) {
    if (request.markToldPrefilled()) {
      request.listener().onPrefilled(request.prefillSummary());
    }
  }

  /** Ends a choice whose constraint leaves no token to choose. */
  private void endDead(Sequence sequence) {
    try {
      tellPrefilled(sequence.request());
    } catch (Throwable e) {
      ends.failListener(sequence.request(), e);
      return;
    }
    ends.complete(sequence, new FinishCause.ConstraintDeadEnd(), Integer.MAX_VALUE);
  }

  /** Why a choice ends behind its latest token, if it does. */
  static Optional<FinishCause> ending(Sequence sequence) {
    Request request = sequence.request();
    int token = sequence.lastToken();
    if (request.task().endsChoice(token)) {
      return Optional.of(request.task().endingCause(token));
    }
    if (sequence.decoding().isDone()) {
      return Optional.of(new FinishCause.ConstraintDone());
    }
    return sequence.isFull() ? Optional.of(request.fullCause()) : Optional.empty();
  }
}
