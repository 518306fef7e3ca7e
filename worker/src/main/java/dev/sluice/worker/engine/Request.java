package dev.sluice.worker.engine;

import dev.sluice.common.fair.FairEntry;
import dev.sluice.common.list.ListNode;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The state of one task in the engine: what it asks for, who listens, when things happened, and a
 * {@link Sequence} for each of its choices. Requests are what is scheduled: a request waits, runs,
 * is preempted and ends as a whole. Sequences are what a step computes.
 *
 * <p>Threading: engine thread, from the moment it was submitted; the flag: any thread.
 */
final class Request extends ListNode<Request> implements TaskHandle {
  /** Whether {@link EngineCommand.Cancel} was sent. */
  final AtomicBoolean cancelSent = new AtomicBoolean();

  /** Its place among those that wait; the {@link RequestOrder}'s. */
  @Nullable FairEntry<Request> place;

  private final GenerationTask task;
  private final GenerationListener listener;
  private final int maxTokens;
  private final long serial;
  private final long arrivalNanos;
  private final List<Sequence> sequences;
  private final Optional<BeamSearch> beams;
  private int beamTokens; // handed out at the end of a beam search
  private int live;
  private int preemptions;
  private int prefillChunks;
  private final Milestones milestones = new Milestones();
  private int promptReached;
  private int cachedPromptTokens;
  private boolean forked;
  private boolean ended;
  private double predictedTtftNanos;

  private boolean scheduled;
  private boolean prefilled;
  private boolean started;
  private boolean toldPrefilled;
  private long firstScheduledNanos;
  private long prefillDoneNanos;
  private long firstTokenNanos;

  /**
   * @param maxTokens most output tokens of a choice, at least 1, such that all of them fit context
   *     and pool
   * @param serial grows with every request of the engine
   * @param hashes of no blocks yet
   */
  Request(
      GenerationTask task,
      GenerationListener listener,
      int maxTokens,
      long serial,
      long arrivalNanos,
      BlockHashes hashes) {
    this.task = task;
    this.listener = listener;
    this.maxTokens = maxTokens;
    this.serial = serial;
    this.arrivalNanos = arrivalNanos;
    this.live = task.choices();
    this.forked = live == 1;
    hashes.extend(task.promptTokens(), task.promptLength());
    this.sequences =
        IntStream.range(0, live)
            .mapToObj(choice -> new Sequence(this, choice, hashes.fork()))
            .toList();
    this.beams = task.beam().map(params -> new BeamSearch(this, params));
  }

  @Override
  public String requestId() {
    return task.requestId();
  }

  GenerationTask task() {
    return task;
  }

  GenerationListener listener() {
    return listener;
  }

  /** Most output tokens of a choice. */
  int maxTokens() {
    return maxTokens;
  }

  long serial() {
    return serial;
  }

  long arrivalNanos() {
    return arrivalNanos;
  }

  int promptLength() {
    return task.promptLength();
  }

  /** Number of choices. */
  int choices() {
    return sequences.size();
  }

  /** The sequence of a choice, which may have ended. */
  Sequence sequence(int choice) {
    return sequences.get(choice);
  }

  /** The search, if each choice is a beam. */
  Optional<BeamSearch> beams() {
    return beams;
  }

  /** A token was handed out at the end of a beam search. */
  void markBeamToken() {
    beamTokens++;
  }

  /** Choices that have not ended. */
  int live() {
    return live;
  }

  /** The first choice that has not ended; until the forks it computes the prompt for all. */
  Sequence leader() {
    for (int choice = 0; choice < choices(); choice++) {
      if (!sequence(choice).isEnded()) {
        return sequence(choice);
      }
    }
    throw new IllegalStateException(requestId() + " has no choice left");
  }

  /** Whether each choice goes its own way: the prompt is computed, or there is but one choice. */
  boolean isForked() {
    return forked;
  }

  /** Each choice goes its own way from now on. */
  void forked() {
    forked = true;
  }

  /** Tokens to compute before every choice can go on, if none is in the cache. */
  int length() {
    int tokens = promptLength();
    for (int choice = 0; choice < choices(); choice++) {
      Sequence sequence = sequence(choice);
      tokens += sequence.isEnded() ? 0 : sequence.outputLength();
    }
    return tokens;
  }

  /** Tokens to compute before every choice can go on, those that decode left out. */
  int pendingPrefillTokens() {
    int tokens = 0;
    for (int choice = 0; choice < choices(); choice++) {
      Sequence sequence = sequence(choice);
      tokens += !sequence.isActive() || sequence.isDecoding() ? 0 : sequence.remaining();
    }
    return tokens;
  }

  /** Prompt tokens that its tenant was not charged for yet. */
  int uncharged() {
    return Math.max(0, promptLength() - sequence(0).charged());
  }

  /** Tokens in the cache, of all choices. */
  int computed() {
    int tokens = 0;
    for (int choice = 0; choice < choices(); choice++) {
      tokens += sequence(choice).isEnded() ? 0 : sequence(choice).computed();
    }
    return tokens;
  }

  /** Blocks in the tables of all choices. */
  int blocks() {
    int blocks = 0;
    for (int choice = 0; choice < choices(); choice++) {
      blocks += sequence(choice).table.size();
    }
    return blocks;
  }

  /** What was predicted when it came. */
  void predictTtft(double nanos) {
    predictedTtftNanos = nanos;
  }

  /** The time to first token that was predicted; 0 if none was. */
  double predictedTtftNanos() {
    return predictedTtftNanos;
  }

  /** Times that it lost its blocks. */
  int preemptions() {
    return preemptions;
  }

  /** Output tokens of all choices. */
  int outputLength() {
    int tokens = 0;
    for (int choice = 0; choice < choices(); choice++) {
      tokens += sequence(choice).outputLength();
    }
    return tokens;
  }

  /** Whether it had its first step. */
  boolean isScheduled() {
    return scheduled;
  }

  /** Whether nothing more happens to it. */
  boolean isEnded() {
    return ended;
  }

  /** Why a choice ends when it is full. */
  FinishCause fullCause() {
    return task.maxTokens().isPresent() ? new FinishCause.Length() : new FinishCause.Context();
  }

  long queueNanos() {
    return firstScheduledNanos - arrivalNanos;
  }

  long ttftNanos() {
    return firstTokenNanos - arrivalNanos;
  }

  PrefillSummary prefillSummary() {
    return new PrefillSummary(
        promptLength(),
        cachedPromptTokens,
        queueNanos(),
        prefillDoneNanos - firstScheduledNanos,
        prefillChunks);
  }

  void markScheduled(long nanos) {
    scheduled = true;
    firstScheduledNanos = nanos;
  }

  /** A step has computed so many tokens, up to a position that was within the prompt before. */
  void markPrefillChunk(int tokens, int position, long nanos) {
    prefillChunks++;
    milestones.add(Milestone.Kind.PREFILL_CHUNK, nanos, tokens);
    promptReached = Math.max(promptReached, Math.min(position, promptLength()));
    if (position >= promptLength() && !prefilled) {
      prefilled = true;
      prefillDoneNanos = nanos;
    }
  }

  /**
   * Tokens up to a position were found in the cache. Prompt tokens count as cached that the request
   * never computed itself.
   */
  void markCached(int position) {
    int reached = Math.min(position, promptLength());
    cachedPromptTokens += Math.max(0, reached - promptReached);
    promptReached = Math.max(promptReached, reached);
  }

  /** A choice got a token; returns whether it is the first of all. */
  boolean markToken(long nanos) {
    if (started) {
      return false;
    }
    started = true;
    firstTokenNanos = nanos;
    return true;
  }

  /**
   * Its listener is about to hear that the prompt is computed; returns whether for the first time.
   */
  boolean markToldPrefilled() {
    boolean first = !toldPrefilled;
    toldPrefilled = true;
    return first;
  }

  /** Its blocks were taken away: everything is to be computed again. */
  void preempted(long nanos) {
    for (int choice = 0; choice < choices(); choice++) {
      sequence(choice).restart();
    }
    beams.ifPresent(BeamSearch::restart);
    preemptions++;
    milestones.add(Milestone.Kind.PREEMPTED, nanos, 0);
  }

  /** It is let in, for the first time or after it was preempted. */
  void admitted(long nanos) {
    if (preemptions > 0) {
      milestones.add(Milestone.Kind.RESUMED, nanos, 0);
    }
  }

  /**
   * Nothing more happens to one of its choices.
   *
   * @param keptTokens output tokens of it that count
   */
  void end(Sequence sequence, int keptTokens) {
    sequence.end(keptTokens);
    live--;
  }

  /** Nothing more happens to it. */
  void end() {
    ended = true;
  }

  GenerationSummary summary(long endNanos) {
    int output = beamTokens;
    int gaps = 0;
    long lastTokenNanos = firstTokenNanos;
    long itlMaxNanos = 0;
    for (int choice = 0; choice < choices(); choice++) {
      Sequence sequence = sequence(choice);
      output += beams.isPresent() ? 0 : sequence.keptTokens();
      gaps = Math.max(gaps, sequence.chosenLength() - 1);
      itlMaxNanos = Math.max(itlMaxNanos, sequence.itlMaxNanos());
      if (sequence.chosenLength() > 0 && sequence.lastTokenNanos() - lastTokenNanos > 0) {
        lastTokenNanos = sequence.lastTokenNanos();
      }
    }
    return new GenerationSummary(
        requestId(),
        promptLength(),
        cachedPromptTokens,
        output,
        preemptions,
        prefillChunks,
        milestones.toList(),
        new RequestTimings(
            arrivalNanos,
            mark(scheduled, firstScheduledNanos),
            mark(prefilled, prefillDoneNanos),
            mark(started, firstTokenNanos),
            mark(started, lastTokenNanos),
            endNanos,
            itlMaxNanos,
            gaps));
  }

  private static OptionalLong mark(boolean reached, long nanos) {
    return reached ? OptionalLong.of(nanos) : OptionalLong.empty();
  }

  /** For what goes wrong with lists: ids only, no texts. */
  @Override
  public String toString() {
    return "request " + requestId();
  }
}
