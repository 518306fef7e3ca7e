package dev.sluice.worker.engine;

import dev.sluice.worker.sampling.TokenLogprob;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The beam search of one request, as the field does it (Hugging Face's {@code BeamSearchScorer}).
 * In every round the continuations of all beams are ranked by their log-probability. Of the first
 * {@code width}, those that end become hypotheses; the first {@code width} that do not end are the
 * next beams. Hypotheses are compared by their score, the log-probability over a power of the
 * length; only the {@code width} best are kept. The search is over when no beam could surpass the
 * worst of them any more, judged by the best continuation at its present length.
 *
 * <p>A round needs a row of every beam; they may come in different steps.
 *
 * <p>Threading: engine thread; rows are filled by the threads that choose tokens.
 */
final class BeamSearch {
  private final Request request;
  private final GenerationTask task;
  private final BeamParams params;
  private final BeamRow[] rows; // [width]; by sequence
  private final Sequence[] beams; // [width]; most likely first
  private final double[] logprobs; // [width]; of the beams
  private final @Nullable Node[] paths; // [width]; of the beams
  private final List<Hypothesis> hypotheses = new ArrayList<>();

  // the next beams, while they are found
  private final Sequence[] parents; // [width]
  private final int[] picks; // [width]; index in the parent's row
  private final double[] nextLogprobs; // [width]
  private final @Nullable Node[] nextPaths; // [width]

  /** The log-probabilities of a beam's tokens, the latest one first. */
  private record Node(@Nullable Node before, TokenLogprob logprob) {}

  /** A beam that has come to its end. */
  @SuppressWarnings("ArrayRecordComponent") // removed from its list as the object that it is
  record Hypothesis(int[] tokens, double score, FinishCause cause, List<TokenLogprob> logprobs) {}

  BeamSearch(Request request, BeamParams params) {
    int width = params.width();
    int endings = request.task().endings().length;
    // so many that each beam's own ending tokens leave enough that do not end
    int ranked = (1 + Math.max(1, endings)) * width + endings;
    this.request = request;
    this.task = request.task();
    this.params = params;
    this.rows = new BeamRow[width];
    Arrays.setAll(rows, _ -> new BeamRow(Math.max(ranked, task.outputLogprobs().orElse(0))));
    this.beams = new Sequence[width];
    this.logprobs = new double[width];
    this.paths = new Node[width];
    this.parents = new Sequence[width];
    this.picks = new int[width];
    this.nextLogprobs = new double[width];
    this.nextPaths = new Node[width];
    Arrays.setAll(beams, request::sequence);
  }

  /** Receives what is likely behind a sequence. */
  BeamRow row(Sequence sequence) {
    return rows[sequence.choice()];
  }

  /** The blocks were taken away: the rows will be read again. */
  void restart() {
    for (BeamRow row : rows) {
      row.markReady(false);
    }
  }

  /**
   * A sequence's row is there. Ends the round if it was the last one.
   *
   * @return whether the search is over
   */
  boolean accept(Sequence sequence, KvBlocks blocks) {
    row(sequence).markReady(true);
    for (int i = 0; i < liveBeams(); i++) {
      if (!row(beams[i]).isReady()) {
        return false;
      }
    }
    return endRound(blocks);
  }

  /** At first all beams are the same, so that only one counts. */
  private int liveBeams() {
    return request.leader().outputLength() == 0 ? 1 : beams.length;
  }

  private boolean endRound(KvBlocks blocks) {
    int length = beams[0].outputLength() + 1;
    double best = rank(length);
    restart();
    boolean enough = hypotheses.size() == params.width();
    if (enough && (params.earlyStopping() || worst().score() >= params.score(best, length))) {
      return true;
    }
    if (length == request.maxTokens()) {
      for (int i = 0; i < beams.length; i++) {
        int token = row(parents[i]).token(picks[i]);
        keep(parents[i], token, nextLogprobs[i], nextPaths[i], request.fullCause());
      }
      return true;
    }
    goOn(blocks);
    return false;
  }

  /**
   * Finds the next beams, and the hypotheses before them.
   *
   * @return the log-probability of the most likely continuation
   */
  private double rank(int length) {
    int[] next = new int[beams.length]; // in each row
    double best = Double.NEGATIVE_INFINITY;
    int found = 0;
    for (int rank = 0; found < beams.length; ) {
      int beam = mostLikely(next);
      BeamRow row = row(beams[beam]);
      int pick = next[beam]++;
      int token = row.token(pick);
      if (task.endsChoice(token) && length <= task.minTokens()) {
        continue; // as if it did not exist
      }
      double logprob = logprobs[beam] + row.logprob(pick);
      best = rank == 0 ? logprob : best;
      Node path = extend(paths[beam], row, pick);
      if (!task.endsChoice(token)) {
        parents[found] = beams[beam];
        picks[found] = pick;
        nextPaths[found] = path;
        nextLogprobs[found++] = logprob;
      } else if (rank < beams.length) {
        keep(beams[beam], token, logprob, path, task.endingCause(token));
      }
      rank++;
    }
    return best;
  }

  /** The beam with the most likely continuation; of equals the more likely beam. */
  private int mostLikely(int[] next) {
    int best = -1;
    double bestLogprob = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < liveBeams(); i++) {
      BeamRow row = row(beams[i]);
      if (next[i] < row.count() && logprobs[i] + row.logprob(next[i]) > bestLogprob) {
        best = i;
        bestLogprob = logprobs[i] + row.logprob(next[i]);
      }
    }
    if (best < 0) {
      throw new IllegalStateException(
          "fewer than " + beams.length + " tokens could continue a beam");
    }
    return best;
  }

  private @Nullable Node extend(@Nullable Node path, BeamRow row, int pick) {
    return task.outputLogprobs().isPresent()
        ? new Node(path, row.describe(pick, task.outputLogprobs().getAsInt()))
        : null;
  }

  /** Makes a hypothesis, and forgets the worst one if there are too many. */
  private void keep(
      Sequence beam, int token, double logprob, @Nullable Node path, FinishCause cause) {
    int[] tokens = beam.outputWith(token);
    double score = params.score(logprob, tokens.length);
    boolean full = hypotheses.size() == params.width();
    if (full && score <= worst().score()) {
      return;
    }
    if (full) {
      hypotheses.remove(worst());
    }
    List<TokenLogprob> scored = new ArrayList<>();
    for (Node node = path; node != null; node = node.before()) {
      scored.add(node.logprob());
    }
    hypotheses.add(new Hypothesis(tokens, score, cause, scored.reversed()));
  }

  private Hypothesis worst() {
    Hypothesis worst = hypotheses.getFirst();
    for (Hypothesis hypothesis : hypotheses) {
      worst = hypothesis.score() < worst.score() ? hypothesis : worst;
    }
    return worst;
  }

  /**
   * The beams found go on. The first child of a beam takes its sequence over; the others take those
   * of beams without children, and share the blocks.
   */
  private void goOn(KvBlocks blocks) {
    Sequence[] heirs = new Sequence[beams.length];
    boolean[] taken = new boolean[beams.length]; // by sequence
    int[] tokens = new int[beams.length];
    for (int i = 0; i < beams.length; i++) {
      tokens[i] = row(parents[i]).token(picks[i]);
      if (!taken[parents[i].choice()]) {
        taken[parents[i].choice()] = true;
        heirs[i] = parents[i];
      }
    }
    int free = 0;
    for (int i = 0; i < beams.length; i++) {
      if (heirs[i] == null) {
        while (taken[free]) {
          free++;
        }
        taken[free] = true;
        heirs[i] = request.sequence(free);
        blocks.fork(parents[i], heirs[i]);
      }
    }
    for (int i = 0; i < beams.length; i++) {
      heirs[i].appendBeam(tokens[i]);
      beams[i] = heirs[i];
    }
    System.arraycopy(nextLogprobs, 0, logprobs, 0, logprobs.length);
    System.arraycopy(nextPaths, 0, paths, 0, paths.length);
  }

  /** The best hypotheses, best first, once the search is over. */
  List<Hypothesis> best() {
    return hypotheses.stream()
        .sorted(Comparator.comparingDouble(Hypothesis::score).reversed())
        .limit(params.best())
        .toList();
  }
}
