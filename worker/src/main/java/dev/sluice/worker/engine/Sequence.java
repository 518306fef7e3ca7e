package dev.sluice.worker.engine;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One choice of a request. Its tokens are the prompt followed by the output:
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
 * <p>Threading: engine thread, from the moment its request was submitted; the flag: any thread.
 */
final class Sequence {
  /** Whether {@link EngineCommand.Stop} was sent. */
  final AtomicBoolean stopSent = new AtomicBoolean();

  /** Its blocks; empty while it waits. */
  final BlockTable table = new BlockTable();

  private final Request request;
  private final int choice;
  private final int promptLength;
  private final BlockHashes hashes;
  private int[] tokens;
  private int length;
  private int computed;
  private int charged; // tokens at its start that were computed, or found in the cache, once
  private int keptTokens = Integer.MAX_VALUE;
  private boolean ended;
  private long lastTokenNanos;
  private long itlMaxNanos;

  /**
   * @param choice from 0
   * @param hashes of the prompt's blocks
   */
  Sequence(Request request, int choice, BlockHashes hashes) {
    this.request = request;
    this.choice = choice;
    this.promptLength = request.promptLength();
    this.length = promptLength;
    this.hashes = hashes;
    // room for a short answer; a longer one doubles it
    this.tokens =
        request.task().promptWithCapacity(promptLength + Math.min(request.maxTokens(), 256));
  }

  Request request() {
    return request;
  }

  int choice() {
    return choice;
  }

  int length() {
    return length;
  }

  int outputLength() {
    return length - promptLength;
  }

  int computed() {
    return computed;
  }

  /** Tokens at its start that its tenant was charged for, or that were in the cache. */
  int charged() {
    return charged;
  }

  /** Its tokens before {@code end} are computed; returns how many of them never were before. */
  int charge(int end) {
    int from = Math.max(computed, charged);
    charged = Math.max(from, end);
    return Math.max(0, end - from);
  }

  /** Tokens to compute before the next one can be sampled. */
  int remaining() {
    return length - computed;
  }

  /** Whether only its latest output token is left to compute. */
  boolean isDecoding() {
    return length > promptLength && computed == length - 1;
  }

  int token(int index) {
    return tokens[index];
  }

  /** The first {@link #length} entries count. Not to be changed. */
  int[] tokens() {
    return tokens;
  }

  /** Hashes of its full blocks. */
  BlockHashes hashes() {
    return hashes;
  }

  /** Whether it has blocks of its own when its request runs: not before forks or after its end. */
  boolean isActive() {
    return !ended && (request.isForked() || request.leader() == this);
  }

  boolean isEnded() {
    return ended;
  }

  boolean isFull() {
    return outputLength() == request.maxTokens();
  }

  /** Output tokens that count. */
  int keptTokens() {
    return Math.min(keptTokens, outputLength());
  }

  /** When its latest token was handed out. */
  long lastTokenNanos() {
    return lastTokenNanos;
  }

  /** Longest gap between two of its tokens; 0 with fewer than two. */
  long itlMaxNanos() {
    return itlMaxNanos;
  }

  /** The next tokens were computed. */
  void advance(int count, long nanos) {
    boolean prefill = computed < promptLength;
    computed += count;
    if (prefill) {
      request.markPrefillChunk(computed, nanos);
    }
  }

  /** The tokens up to a position are in the cache because others have computed them. */
  void skipTo(int position) {
    computed = position;
    request.markCached(position);
  }

  /** Appends an output token; returns the gap since the one before it, 0 for the first. */
  long append(int tokenId, long nanos) {
    if (length == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * length);
    }
    tokens[length++] = tokenId;
    hashes.extend(tokens, length);
    long gap = outputLength() == 1 ? 0 : nanos - lastTokenNanos;
    itlMaxNanos = Math.max(itlMaxNanos, gap);
    lastTokenNanos = nanos;
    return gap;
  }

  /** Its blocks were taken away: everything is to be computed again. */
  void restart() {
    computed = 0;
  }

  /** Nothing more happens to it; {@link Request#end(Sequence, int)} calls this. */
  void end(int newKeptTokens) {
    ended = true;
    keptTokens = newKeptTokens;
  }
}
