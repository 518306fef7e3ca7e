package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;

class StepTimePredictorProperties {
  private static final double MICRO = 1e3;

  /** A machine, drawn at random: what steps cost on it, in ns. */
  private record Machine(double step, double token, double logits, double pair, double past) {
    static Machine random(Random random) {
      return new Machine(
          MICRO * (100 + random.nextInt(20_000)),
          MICRO * (20 + random.nextInt(2000)),
          MICRO * random.nextInt(500),
          random.nextInt(300),
          random.nextInt(2000));
    }
  }

  /** A step drawn at random: some sequences decode, and there may be a part of a prompt. */
  private record Step(int decodes, int past, int prefill, int prefillPast) {
    static Step random(Random random, boolean prompts) {
      return new Step(
          random.nextInt(32),
          random.nextInt(2000),
          prompts ? 1 + random.nextInt(512) : 0,
          random.nextInt(4000));
    }

    StepCost cost() {
      StepCost cost = new StepCost();
      for (int i = 0; i < decodes; i++) {
        cost.addDecode(past);
      }
      if (prefill > 0) {
        cost.addPrefill(prefillPast, prefill, true);
      }
      return cost;
    }

    double nanos(Machine m) {
      int tokens = decodes + prefill;
      return m.step
          + m.token * tokens
          + m.logits * (decodes + Math.min(prefill, 1))
          + m.pair * prefill * (prefillPast + prefill / 2.0)
          + m.past * decodes * past;
    }
  }

  @Property(tries = 60, seed = "1")
  void learnsAMachineThroughNoise(
      @ForAll @DoubleRange(min = 0, max = 0.1) double noise, @ForAll long seed) {
    Random random = new Random(seed);
    Machine machine = Machine.random(random);
    StepTimePredictor predictor = new StepTimePredictor();
    learn(predictor, machine, noise, 600, true, random);
    double error = 0;
    for (int i = 0; i < 100; i++) {
      Step step = Step.random(random, true);
      error += Math.abs(predictor.predictNanos(step.cost()) / step.nanos(machine) - 1) / 100;
    }
    assertThat(error).isLessThan(0.03 + noise);
    assertThat(predictor.margin()).isBetween(1.0, 1.1 + 3 * noise);
  }

  /** Decoding for an hour does not make it forget what a prompt costs. */
  @Property(tries = 30, seed = "2")
  void remembersPromptsThroughLongDecoding(@ForAll long seed) {
    Random random = new Random(seed);
    Machine machine = Machine.random(random);
    StepTimePredictor predictor = new StepTimePredictor();
    learn(predictor, machine, 0.05, 300, true, random);
    learn(predictor, machine, 0.05, 20_000, false, random);
    for (int i = 0; i < 20; i++) {
      Step step = new Step(8, 500, 100 + random.nextInt(400), random.nextInt(2000));
      assertThat(predictor.predictNanos(step.cost()) / step.nanos(machine)).isBetween(0.75, 1.25);
    }
  }

  /** One step in fifty takes twenty times as long, and then the machine gets slower for good. */
  @Property(tries = 30, seed = "3")
  void bearsPausesAndFollowsOtherLoads(@ForAll long seed) {
    Random random = new Random(seed);
    Machine m = Machine.random(random);
    StepTimePredictor predictor = new StepTimePredictor();
    for (int i = 0; i < 600; i++) {
      Step step = Step.random(random, true);
      predictor.observe(step.cost(), (long) (step.nanos(m) * (i % 50 == 49 ? 20 : 1)));
    }
    Step step = new Step(8, 500, 200, 1000);
    assertThat(predictor.predictNanos(step.cost()) / step.nanos(m)).isBetween(0.85, 1.2);
    Machine slow =
        new Machine(1.6 * m.step, 1.6 * m.token, 1.6 * m.logits, 1.6 * m.pair, 1.6 * m.past);
    learn(predictor, slow, 0.02, 20, true, random);
    assertThat(predictor.margin() * predictor.predictNanos(step.cost()) / step.nanos(slow))
        .as("soon careful")
        .isBetween(0.9, 2.0);
    learn(predictor, slow, 0.02, 400, true, random);
    assertThat(predictor.predictNanos(step.cost()) / step.nanos(slow))
        .as("then exact")
        .isBetween(0.9, 1.1);
  }

  @Property(tries = 100, seed = "4")
  void givesTheMostTokensThatFit(
      @ForAll @DoubleRange(min = 1, max = 500) double millis, @ForAll long seed) {
    Random random = new Random(seed);
    Machine machine = Machine.random(random);
    StepTimePredictor predictor = new StepTimePredictor();
    learn(predictor, machine, 0, 200, true, random);
    int past = random.nextInt(4000);
    int remaining = 1 + random.nextInt(4000);
    int count = predictor.tokensWithin(millis * 1e6, past, remaining);
    assertThat(count).isBetween(0, remaining);
    double base = predictor.predictNanos(new StepCost());
    assertThat(nanos(predictor, past, count, count == remaining) - base)
        .isLessThanOrEqualTo(millis * 1e6 * 1.001 + 1);
    if (count + 1 < remaining) {
      assertThat(nanos(predictor, past, count + 1, false) - base).isGreaterThan(millis * 1e6);
    }
  }

  private static double nanos(StepTimePredictor predictor, int past, int count, boolean logits) {
    StepCost cost = new StepCost();
    cost.addPrefill(past, count, logits && count > 0);
    return predictor.predictNanos(cost);
  }

  private static void learn(
      StepTimePredictor predictor,
      Machine machine,
      double noise,
      int steps,
      boolean prompts,
      Random random) {
    for (int i = 0; i < steps; i++) {
      Step step = Step.random(random, prompts && random.nextInt(4) > 0);
      double factor = Math.max(0.5, 1 + noise * random.nextGaussian());
      predictor.observe(step.cost(), (long) (step.nanos(machine) * factor));
    }
  }
}
