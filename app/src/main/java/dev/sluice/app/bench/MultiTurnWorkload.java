package dev.sluice.app.bench;

import dev.sluice.app.bench.Job.Turn;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Conversations that all begin with one system prompt; each request has the whole conversation.
 *
 * @param turns requests of each conversation
 * @param prefixTokens length of the system prompt; may be 0
 * @param input length of what the user adds in each turn
 */
record MultiTurnWorkload(int size, int turns, int prefixTokens, Lengths input, Lengths output)
    implements Workload {
  @Override
  public Iterator<Job> jobs(TokenSource tokens) {
    List<Integer> head = tokens.draw(tokens.random(-1), prefixTokens);
    return IntStream.range(0, size)
        .mapToObj(i -> conversation(head, tokens, tokens.random(i)))
        .iterator();
  }

  private Job conversation(List<Integer> head, TokenSource tokens, SplittableRandom random) {
    List<Turn> all = new ArrayList<>();
    for (int turn = 0; turn < turns; turn++) {
      List<Integer> said = tokens.draw(random, input.draw(random));
      all.add(new Turn(turn == 0 ? Tokens.concat(head, said) : said, output.draw(random)));
    }
    return new Job(Optional.empty(), all);
  }
}
