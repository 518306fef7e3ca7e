package dev.sluice.worker.engine;

import java.util.Arrays;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The state of one request. Its tokens are the prompt followed by the output:
 *
 * <pre>
 *   |&lt;----------- length -----------&gt;|
 *   |&lt;- promptLength -&gt;|&lt;-- output --&gt;|
 *   |&lt;-- computed --&gt;|&lt;- remaining -&gt;|
 * </pre>
 *
 * K and V of the first {@code computed} tokens are in the cache. When nothing remains, the next
 * token is sampled and appended; so a decoding sequence has one remaining token, and a preempted
 * one computes prompt and output again in the same way as a new one computes its prompt.
 *
 * <p>Threading: engine thread, from the moment it was submitted; the two flags: any thread.
 */
final class Sequence implements TaskHandle {
  /** Whether {@link EngineCommand.Cancel} was sent. */
  final AtomicBoolean cancelSent = new AtomicBoolean();

  /** Whether {@link EngineCommand.Stop} was sent. */
  final AtomicBoolean stopSent = new AtomicBoolean();

  /** Its blocks; empty while it waits. */
  final BlockTable table = new BlockTable();

  // links of the SequenceQueue that holds it
  @Nullable Sequence previous;
  @Nullable Sequence next;
  @Nullable SequenceQueue queue;

  private final GenerationTask task;
  private final GenerationListener listener;
  private final int maxTokens;
  private final long serial;
  private final long arrivalNanos;
  private int[] tokens;
  private int length;
  private int computed;
  private int preemptions;
  private int prefillChunks;
  private boolean ended;

  private boolean scheduled;
  private boolean prefilled;
  private long firstScheduledNanos;
  private long prefillDoneNanos;
  private long firstTokenNanos;
  private long lastTokenNanos;
  private long itlMaxNanos;

  /**
   * @param maxTokens most output tokens, at least 1, such that all of them fit context and pool
   * @param serial grows with every request of the engine
   */
  Sequence(
      GenerationTask task,
      GenerationListener listener,
      int maxTokens,
      long serial,
      long arrivalNanos) {
    this.task = task;
    this.listener = listener;
    this.maxTokens = maxTokens;
    this.serial = serial;
    this.arrivalNanos = arrivalNanos;
    this.length = task.promptLength();
    // room for a short answer; a longer one doubles it
    this.tokens = task.promptWithCapacity(length + Math.min(maxTokens, 256));
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

  long serial() {
    return serial;
  }

  int promptLength() {
    return task.promptLength();
  }

  int length() {
    return length;
  }

  int outputLength() {
    return length - task.promptLength();
  }

  int computed() {
    return computed;
  }

  /** Tokens to compute before the next one can be sampled. */
  int remaining() {
    return length - computed;
  }

  /** Whether only the latest token is left to compute, behind others in the cache. */
  boolean isDecoding() {
    return computed > 0 && computed == length - 1;
  }

  int token(int index) {
    return tokens[index];
  }

  /** Whether it had its first step. */
  boolean isScheduled() {
    return scheduled;
  }

  /** Whether all prompt tokens were computed once. */
  boolean isPrefilled() {
    return prefilled;
  }

  boolean isEnded() {
    return ended;
  }

  boolean isFull() {
    return outputLength() == maxTokens;
  }

  /** Why it ends when it is full. */
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
        promptLength(), 0, queueNanos(), prefillDoneNanos - firstScheduledNanos, prefillChunks);
  }

  void markScheduled(long nanos) {
    scheduled = true;
    firstScheduledNanos = nanos;
  }

  /** The next tokens are in the cache. */
  void advance(int count, long nanos) {
    if (computed < promptLength()) {
      prefillChunks++;
    }
    computed += count;
    if (!prefilled && computed >= promptLength()) {
      prefilled = true;
      prefillDoneNanos = nanos;
    }
  }

  /** Appends an output token; returns the gap since the one before it, 0 for the first. */
  long append(int tokenId, long nanos) {
    if (length == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * length);
    }
    tokens[length++] = tokenId;
    if (outputLength() == 1) {
      firstTokenNanos = nanos;
      lastTokenNanos = nanos;
      return 0;
    }
    long gap = nanos - lastTokenNanos;
    itlMaxNanos = Math.max(itlMaxNanos, gap);
    lastTokenNanos = nanos;
    return gap;
  }

  /** Its blocks were taken away: everything is to be computed again. */
  void preempted() {
    computed = 0;
    preemptions++;
  }

  /** Nothing more happens to it. */
  void end() {
    ended = true;
  }

  /**
   * @param keptTokens output tokens that count
   */
  GenerationSummary summary(int keptTokens, long endNanos) {
    int output = outputLength();
    return new GenerationSummary(
        requestId(),
        promptLength(),
        0,
        Math.min(keptTokens, output),
        preemptions,
        prefillChunks,
        new RequestTimings(
            arrivalNanos,
            mark(scheduled, firstScheduledNanos),
            mark(prefilled, prefillDoneNanos),
            mark(output > 0, firstTokenNanos),
            mark(output > 0, lastTokenNanos),
            endNanos,
            itlMaxNanos,
            Math.max(0, output - 1)));
  }

  private static OptionalLong mark(boolean reached, long nanos) {
    return reached ? OptionalLong.of(nanos) : OptionalLong.empty();
  }
}
