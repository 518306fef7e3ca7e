package dev.sluice.worker.engine;

import dev.sluice.common.error.Lateness;
import dev.sluice.common.error.Refusal;
import dev.sluice.common.fair.Backlog;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Refuses at once what is predicted to come too late: the first token after the request's target,
 * or the end after its deadline. What waits before a newcomer in the fair order has to be computed
 * first, and to find rows and blocks, which become free at the rate at which requests end.
 *
 * <p>Predictions are corrected by what became of those before: by the factor below which nine of
 * ten times to first token stayed.
 *
 * <p>Threading: engine thread.
 */
final class Admission {
  private static final double WEIGHT = 0.03; // of the latest request in means
  private static final double STEP_WEIGHT = 0.05;
  private static final double CORRECTION_STEP = 0.05;
  private static final double QUANTILE = 0.9;
  private static final double MIN_CORRECTION = 0.5;
  private static final double MAX_CORRECTION = 4;

  private final Scheduler scheduler;
  private final int maxSequences;
  private final int blockSize;
  private final double retryNanos;
  private double residenceNanos; // mean time from first step to end; 0 before any has ended
  private double outputTokens; // mean
  private double totalTokens; // mean of prompt and output
  private double stepNanos; // mean
  private double correction = 1;

  Admission(Scheduler scheduler, ModelRunner.Geometry geometry, Duration retryAfter) {
    this.scheduler = scheduler;
    this.maxSequences = geometry.maxSequences();
    this.blockSize = geometry.blockSize();
    this.retryNanos = retryAfter.toNanos();
  }

  /** Why a request is not let in, if it is not. */
  Optional<Refusal> check(Request request, long nowNanos) {
    GenerationTask task = request.task();
    OptionalLong target = task.ttftTargetNanos();
    OptionalLong deadline = task.deadlineNanos();
    double uncorrected = ttftNanos(task, scheduler.uncachedTokens(request));
    request.predictTtft(uncorrected);
    boolean expired = deadline.isPresent() && deadline.getAsLong() - nowNanos <= 0;
    if ((target.isEmpty() && deadline.isEmpty()) || expired || task.isResumed()) {
      return Optional.empty(); // what has expired fails for that; a stream that began goes on
    }
    double waited = nowNanos - request.arrivalNanos();
    double ttft = uncorrected * correction;
    if (target.isPresent() && waited + ttft > target.getAsLong()) {
      return Optional.of(Lateness.firstToken(waited + ttft, (double) target.getAsLong(), Map.of()));
    }
    if (deadline.isPresent()) {
      double left = deadline.getAsLong() - nowNanos;
      double output = Math.min(outputTokens, request.maxTokens());
      double end = ttft + Math.max(0, output - 1) * stepNanos;
      if (end > left) {
        return Optional.of(Lateness.end(end, left, Map.of()));
      }
    }
    return Optional.empty();
  }

  /**
   * What to tell those who find the queue full: when half of it will have been computed.
   *
   * @param pendingTokens of all requests
   */
  long retryNanos(long pendingTokens) {
    double nanos = pendingTokens * scheduler.budget().prefillNanosPerToken(blockSize);
    if (residenceNanos > 0) {
      nanos = Math.max(nanos, scheduler.waitingCount() * rowNanos());
    }
    return Lateness.retryAfter(nanos == 0 ? retryNanos : nanos / 2).toNanos();
  }

  /** Time to the first token of a newcomer; 0 if nothing is known yet. */
  private double ttftNanos(GenerationTask task, int tokens) {
    double perToken = scheduler.budget().prefillNanosPerToken(tokens);
    if (perToken == 0) {
      return 0;
    }
    Backlog waiting = scheduler.order().ahead(task, tokens);
    double ahead = waiting.tokens() + scheduler.runningPrefillTokens(task, waiting);
    double own = tokens * perToken;
    double computing = ahead * perToken;
    double rows = scheduler.runningCount() + waiting.entries() + 1 - maxSequences;
    double blocks = waiting.tokens() + tokens - (double) scheduler.availableBlocks() * blockSize;
    double room = 0;
    if (residenceNanos > 0 && scheduler.runningCount() > 0) {
      room = Math.max(rows, blocks / Math.max(1, totalTokens)) * rowNanos();
    }
    return Math.max(computing, room) + own;
  }

  /** Time until one of those that run has ended. */
  private double rowNanos() {
    return residenceNanos / Math.max(1, scheduler.runningCount());
  }

  /** A request got its first token. */
  void started(Request request) {
    double predicted = request.predictedTtftNanos();
    if (predicted > 0) {
      double ratio = request.ttftNanos() / predicted;
      correction *= 1 + CORRECTION_STEP * (ratio > correction ? QUANTILE : QUANTILE - 1);
      correction = Math.clamp(correction, MIN_CORRECTION, MAX_CORRECTION);
    }
  }

  /** A request is complete. */
  void completed(Request request, long nowNanos) {
    double residence = nowNanos - request.arrivalNanos() - request.queueNanos();
    double output = (double) request.outputLength() / request.choices();
    double total = request.promptLength() + request.outputLength();
    double weight = residenceNanos == 0 ? 1 : WEIGHT;
    residenceNanos += weight * (residence - residenceNanos);
    outputTokens += weight * (output - outputTokens);
    totalTokens += weight * (total - totalTokens);
  }

  /** A step was computed. */
  void stepped(long nanos) {
    stepNanos += (stepNanos == 0 ? 1 : STEP_WEIGHT) * (nanos - stepNanos);
  }
}
