package dev.sluice.app.bench;

import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Prompts that begin with one of a few system prompts.
 *
 * @param prefixes how many different ones
 * @param prefixTokens length of each
 * @param input length of what follows
 */
record SharedPrefixWorkload(int size, int prefixes, int prefixTokens, Lengths input, Lengths output)
    implements Workload {
  @Override
  public Iterator<Job> jobs(TokenSource tokens) {
    List<List<Integer>> heads =
        IntStream.range(0, prefixes)
            .mapToObj(i -> tokens.draw(tokens.random(-1 - i), prefixTokens))
            .toList();
    return IntStream.range(0, size)
        .mapToObj(i -> {
          SplittableRandom random = tokens.random(i);
          List<Integer> head = heads.get(random.nextInt(prefixes));
          List<Integer> rest = tokens.draw(random, input.draw(random));
          return Job.single(Tokens.concat(head, rest), output.draw(random));
        })
        .iterator();
  }
}
