package dev.sluice.app.simulate;

import dev.sluice.worker.simulation.Arrival;
import dev.sluice.worker.simulation.Simulation;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.OptionalLong;
import java.util.SplittableRandom;

/**
 * Requests made up: they come as a Poisson process, with lengths spread exponentially around their
 * means and cut at the context, from tenants drawn at random.
 *
 * <p>Threading: confined to its owner.
 */
final class GeneratedArrivals implements Iterator<Arrival> {
  private final Mix mix;
  private final SplittableRandom random;
  private long made;
  private double seconds;

  /**
   * What is made.
   *
   * @param requests how many
   * @param perSecond rate; infinite: all at once
   * @param meanInput tokens of a prompt, without prefix
   * @param meanOutput tokens
   * @param longest most tokens of prompt and output together
   * @param tenants how many
   * @param prefixes how many prompts that others begin with
   * @param prefixTokens their length
   * @param ttftTargetNanos of each request
   * @param timeoutNanos of each request
   * @param seed of everything
   */
  record Mix(
      long requests,
      double perSecond,
      int meanInput,
      int meanOutput,
      int longest,
      int tenants,
      int prefixes,
      int prefixTokens,
      OptionalLong ttftTargetNanos,
      OptionalLong timeoutNanos,
      long seed) {}

  GeneratedArrivals(Mix mix) {
    this.mix = mix;
    this.random = new SplittableRandom(mix.seed);
  }

  @Override
  public boolean hasNext() {
    return made < mix.requests;
  }

  @Override
  public Arrival next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    made++;
    seconds += mix.perSecond == Double.POSITIVE_INFINITY ? 0 : exponential() / mix.perSecond;
    int output = length(mix.meanOutput, mix.longest / 2);
    int input = length(mix.meanInput, mix.longest - output - mix.prefixTokens);
    return new Arrival(
        (long) (seconds * 1e9),
        prompt(input),
        output,
        "tenant-" + random.nextInt(mix.tenants),
        0,
        mix.ttftTargetNanos,
        mix.timeoutNanos);
  }

  private int[] prompt(int own) {
    int[] prompt = new int[mix.prefixTokens + own];
    SplittableRandom prefix = new SplittableRandom(~mix.seed + random.nextInt(mix.prefixes));
    for (int i = 0; i < prompt.length; i++) {
      SplittableRandom source = i < mix.prefixTokens ? prefix : random;
      prompt[i] = source.nextInt(Simulation.VOCABULARY);
    }
    return prompt;
  }

  /** 1 to {@code most}. */
  private int length(int mean, int most) {
    return Math.clamp(Math.round(exponential() * mean), 1, most);
  }

  private double exponential() {
    return -Math.log(1 - random.nextDouble());
  }
}
