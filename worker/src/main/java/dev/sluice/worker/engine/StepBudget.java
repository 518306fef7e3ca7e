package dev.sluice.worker.engine;

/**
 * The time of a step: how many prompt tokens fit it beside what decodes, if streams are to keep
 * their inter-token latency. A tenth of the goal is always for prompts: a goal that decoding alone
 * exceeds must not stop them.
 *
 * <p>Threading: engine thread. Allocates nothing after construction.
 */
final class StepBudget {
  /** Prompt tokens of the first step of all, of which nothing is known. */
  private static final int FIRST = 64;

  /** Fewer prompt tokens of a further request are not worth it. */
  private static final int FEW = 8;

  private static final double SHARE = 0.1; // of the goal

  /** The promise is 1.2: what a client sees between two tokens varies more than the steps do. */
  private static final double TOLERANCE = 1.15;

  private final StepTimePredictor predictor = new StepTimePredictor();
  private final StepCost cost = new StepCost();
  private final StepCost probe = new StepCost();
  private final double goalNanos; // infinite without one
  private final int most; // tokens of a step
  private double leftNanos;

  StepBudget(SchedulingConfig config, ModelRunner.Geometry geometry) {
    this.goalNanos = config.itlGoal().map(g -> (double) g.toNanos()).orElse(Double.MAX_VALUE);
    this.most = geometry.maxBatchedTokens();
  }

  StepTimePredictor predictor() {
    return predictor;
  }

  /** Whether there is a goal. */
  boolean isBounded() {
    return goalNanos < Double.MAX_VALUE;
  }

  /** A new step. */
  void begin() {
    cost.clear();
    refresh();
  }

  /** A sequence computes its latest token, behind {@code past} others. */
  void addDecode(int past) {
    cost.addDecode(past);
  }

  /** Whether the step has time for a few more prompt tokens. */
  boolean hasTime() {
    refresh();
    return !cost.hasPrefill() || predictor.tokensWithin(leftNanos, 0, FEW) >= FEW;
  }

  /**
   * A part of a prompt is computed; returns how many tokens.
   *
   * @param past tokens before it
   * @param remaining tokens that the prompt has left
   * @param mostTokens 1 or more
   */
  int addPrefill(int past, int remaining, int mostTokens) {
    int count = mostTokens;
    if (isBounded()) {
      refresh();
      int fitting =
          predictor.knowsPrefill() ? predictor.tokensWithin(leftNanos, past, remaining) : FIRST;
      count = Math.min(mostTokens, Math.max(1, fitting));
    }
    cost.addPrefill(past, count, count == remaining);
    return count;
  }

  /** The step has taken this time. */
  void observe(long nanos) {
    predictor.observe(cost, nanos);
  }

  /** Time that so many prompt tokens take if nothing else is computed; 0 if that is not known. */
  double leastPrefillNanos(int tokens) {
    probe.clear();
    probe.addPrefill(0, tokens, true);
    return predictor.knowsPrefill() ? predictor.predictNanos(probe) : 0;
  }

  /**
   * Time per prompt token beside what the latest step decoded; 0 if that is not known.
   *
   * @param tokens of the prompt
   */
  double prefillNanosPerToken(int tokens) {
    if (!predictor.knowsPrefill()) {
      return 0;
    }
    probe.setDecodes(cost);
    double rest = predictor.predictNanos(probe);
    int count = Math.min(tokens, most);
    if (isBounded()) {
      double time = Math.max(SHARE * goalNanos, targetNanos() - rest);
      count = Math.min(count, Math.max(1, predictor.tokensWithin(time, tokens / 2, tokens)));
    }
    probe.addPrefill(tokens / 2, Math.max(1, count), false);
    return predictor.predictNanos(probe) / Math.max(1, count);
  }

  /** The prediction to aim at: hardly a step shall exceed the goal by so much. */
  private double targetNanos() {
    return Math.min(goalNanos, TOLERANCE * goalNanos / predictor.margin());
  }

  private void refresh() {
    leftNanos = targetNanos() - predictor.predictNanos(cost);
    if (!cost.hasPrefill()) {
      leftNanos = Math.max(leftNanos, SHARE * goalNanos);
    }
  }
}
