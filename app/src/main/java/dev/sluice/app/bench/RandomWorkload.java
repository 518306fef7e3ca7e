package dev.sluice.app.bench;

import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Prompts that have nothing in common. */
record RandomWorkload(int size, Lengths input, Lengths output) implements Workload {
  @Override
  public Iterator<Job> jobs(TokenSource tokens) {
    return IntStream.range(0, size)
        .mapToObj(i -> {
          SplittableRandom random = tokens.random(i);
          List<Integer> prompt = tokens.draw(random, input.draw(random));
          return Job.single(prompt, output.draw(random));
        })
        .iterator();
  }
}
