package dev.sluice.worker.engine;

import dev.sluice.worker.sampling.DecodingState;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

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
  private final DecodingState decoding;
  private final int choice;
  private final int promptLength;
  private final int resumedLength; // output tokens that came from elsewhere
  private BlockHashes hashes;
  private int[] tokens;
  private int length;
  private int computed;
  private int scored;
  private int charged; // tokens at its start that were computed, or found in the cache, once
  private int keptTokens = Integer.MAX_VALUE;
  private boolean ended;
  private long lastTokenNanos;
  private long itlMaxNanos;
  private @Nullable NgramIndex ngrams; // once drafts were asked for
  private @Nullable DraftAcceptance acceptance;

  /**
   * @param choice from 0
   * @param hashes of the prompt's blocks
   */
  Sequence(Request request, int choice, BlockHashes hashes) {
    this.request = request;
    this.decoding = request.task().newDecodingState();
    this.choice = choice;
    this.promptLength = request.promptLength();
    int[] resumed = request.task().resumedTokens(choice);
    this.resumedLength = resumed.length;
    this.length = promptLength + resumed.length;
    this.hashes = hashes;
    // room for a short answer; a longer one doubles it
    this.tokens = request.task().promptWithCapacity(length + Math.min(request.maxTokens(), 256));
    System.arraycopy(resumed, 0, tokens, promptLength, resumed.length);
    for (int token : resumed) {
      decoding.accept(token);
    }
    hashes.extend(tokens, length);
  }

  Request request() {
    return request;
  }

  /** What the next token depends on beside the model; it knows all output tokens. */
  DecodingState decoding() {
    return decoding;
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

  /** Output tokens that were chosen here. */
  int chosenLength() {
    return outputLength() - resumedLength;
  }

  /** The latest output token, of which there must be one. */
  int lastToken() {
    return tokens[length - 1];
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
    return outputLength() >= request.maxTokens();
  }

  /** Output tokens that it may still get. */
  int room() {
    return request.maxTokens() - outputLength();
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

  /**
   * Whether the logits behind a token of the prompt, which make the next one's log-probability, are
   * still to be read. What was told before a preemption is not told again.
   */
  boolean isScoredAt(int position) {
    return position >= scored
        && position < promptLength - 1
        && choice == 0
        && request.task().promptLogprobs().isPresent();
  }

  /** Of the next {@code count} tokens to compute, those whose logits are to be read. */
  int scoredRows(int count) {
    int end = Math.min(computed + count, promptLength - 1);
    return firstScored() < end && isScoredAt(firstScored()) ? end - firstScored() : 0;
  }

  /** The first token to compute whose logits are to be read, if there is one. */
  int firstScored() {
    return Math.max(computed, scored);
  }

  /** How many of the next {@code count} tokens are computed if so many rows can be read. */
  int limitScored(int count, int rows) {
    int excess = scoredRows(count) - rows;
    return excess <= 0 ? count : Math.min(count, promptLength - 1 - computed) - excess;
  }

  /** A log-probability of the prompt was told. */
  void markScored() {
    scored++;
  }

  /** The next tokens were computed. */
  void advance(int count, long nanos) {
    boolean prefill = computed < promptLength;
    computed += count;
    if (prefill) {
      request.markPrefillChunk(count, computed, nanos);
    }
  }

  /** The tokens up to a position are in the cache because others have computed them. */
  void skipTo(int position) {
    computed = position;
    request.markCached(position);
  }

  /** Appends an output token; returns the gap since the one before it, 0 for the first here. */
  long append(int tokenId, long nanos) {
    if (length == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * length);
    }
    tokens[length++] = tokenId;
    decoding.accept(tokenId);
    hashes.extend(tokens, length);
    long gap = chosenLength() == 1 ? 0 : nanos - lastTokenNanos;
    itlMaxNanos = Math.max(itlMaxNanos, gap);
    lastTokenNanos = nanos;
    return gap;
  }

  /** Appends a token that is not handed out before the end of a beam search. */
  void appendBeam(int tokenId) {
    if (length == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * length);
    }
    tokens[length++] = tokenId;
    hashes.extend(tokens, length);
  }

  /** Its output, and one more token. */
  int[] outputWith(int tokenId) {
    int[] output = Arrays.copyOfRange(tokens, promptLength, length + 1);
    output[output.length - 1] = tokenId;
    return output;
  }

  /** Becomes the same as another choice of its request; its blocks are {@link KvBlocks}' care. */
  void become(Sequence other) {
    if (tokens.length < other.length) {
      tokens = Arrays.copyOf(tokens, other.tokens.length);
    }
    System.arraycopy(other.tokens, promptLength, tokens, promptLength, other.outputLength());
    length = other.length;
    computed = other.computed;
    charged = other.charged;
    hashes = other.hashes.fork();
  }

  /** Where its latest tokens occurred before. */
  NgramIndex ngrams() {
    if (ngrams == null) {
      ngrams = new NgramIndex(Math.min(length + request.maxTokens(), 2 * length + 256));
    }
    return ngrams;
  }

  /** How its drafts fared. */
  DraftAcceptance acceptance() {
    if (acceptance == null) {
      acceptance = new DraftAcceptance();
    }
    return acceptance;
  }

  /**
   * Puts copies of earlier tokens behind its last one, where {@link #token} finds them until the
   * next is appended. They may run into themselves: what recurs goes on recurring.
   */
  void propose(int from, int count) {
    if (length + count > tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * (length + count));
    }
    for (int i = 0; i < count; i++) {
      tokens[length + i] = tokens[from + i];
    }
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
