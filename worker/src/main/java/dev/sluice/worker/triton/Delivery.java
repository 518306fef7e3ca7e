package dev.sluice.worker.triton;

import dev.sluice.worker.engine.EngineObserver;
import dev.sluice.worker.engine.FinishCause;
import dev.sluice.worker.engine.NanoClock;
import java.util.Optional;

/**
 * Hands what Triton answers to those who wait for it, and counts it.
 *
 * <p>Threading: guarded by its {@link TritonEngine}.
 */
final class Delivery {
  private final NanoClock clock;
  private final EngineObserver observer;
  private final WaitPredictor predictor;
  private final TritonQueue queue;
  private long outputTokens;

  Delivery(NanoClock clock, EngineObserver observer, WaitPredictor predictor, TritonQueue queue) {
    this.clock = clock;
    this.observer = observer;
    this.predictor = predictor;
    this.queue = queue;
  }

  /** Output tokens of all requests. */
  long outputTokens() {
    return outputTokens;
  }

  /**
   * Hands out one response.
   *
   * @param modelLimits whether the model keeps to the request's limit by itself, counting as it
   *     likes
   * @return why the output ends with it, if it does
   */
  Optional<FinishCause> deliver(TritonRequest request, Outputs.Part part, boolean modelLimits) {
    request.endedByLength |= part.endedByLength();
    Optional<FinishCause> end = Optional.empty();
    if (!part.isEmpty()) {
      measure(request);
      end = part.ids().isEmpty() ? text(request, part, modelLimits) : ids(request, part);
    }
    return end.isEmpty() && part.last() ? Optional.of(ending(request)) : end;
  }

  private void measure(TritonRequest request) {
    long now = clock.nanos();
    if (request.hasOutput()) {
      observer.onNextToken(request.task(), request.markNext(now));
      return;
    }
    queue.answered(request);
    predictor.first(request.sinceSentNanos(now));
    observer.onFirstToken(request.task(), request.markFirst(now));
    request.listener.onPrefilled(request.prefill(now));
  }

  private Optional<FinishCause> text(
      TritonRequest request, Outputs.Part part, boolean modelLimits) {
    count(request, part.tokens());
    request.listener.onText(0, request.text.append(part.text()), part.tokens());
    return !modelLimits && isFull(request) ? Optional.of(fullCause(request)) : Optional.empty();
  }

  private Optional<FinishCause> ids(TritonRequest request, Outputs.Part part) {
    for (int id : part.ids()) {
      if (request.ended) { // its listener wants no more
        return Optional.empty();
      }
      boolean ends = request.task().endsChoice(id);
      count(request, 1);
      request.listener.onToken(0, id, ends, clock.nanos());
      if (ends) {
        return Optional.of(request.task().endingCause(id));
      }
      if (isFull(request)) {
        return Optional.of(fullCause(request));
      }
    }
    return Optional.empty();
  }

  private void count(TritonRequest request, int tokens) {
    request.outputTokens += tokens;
    outputTokens += tokens;
    queue.charge(request, tokens);
  }

  /** Hands out what was held back, and that it was all. */
  void end(TritonRequest request, FinishCause cause) {
    if (!request.hasOutput()) {
      request.listener.onPrefilled(request.prefill(clock.nanos()));
    }
    String rest = request.text.flush();
    if (!rest.isEmpty()) {
      request.listener.onText(0, rest, 0);
    }
    request.listener.onChoiceFinished(0, cause);
  }

  /** Why the model has ended its output. */
  static FinishCause ending(TritonRequest request) {
    return request.endedByLength || isFull(request)
        ? fullCause(request)
        : new FinishCause.EndOfOutput();
  }

  private static boolean isFull(TritonRequest request) {
    return request.outputTokens >= request.asked.maxTokens();
  }

  private static FinishCause fullCause(TritonRequest request) {
    return request.task().maxTokens().isPresent()
        ? new FinishCause.Length()
        : new FinishCause.Context();
  }
}
