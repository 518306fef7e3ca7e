package dev.sluice.worker.engine;

import dev.sluice.common.fair.FairQueue;
import dev.sluice.worker.constraint.Constraint;
import dev.sluice.worker.sampling.DecodingState;
import dev.sluice.worker.sampling.SamplingParams;
import io.opentelemetry.context.Context;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/** What to generate, in tokens. Immutable. */
public final class GenerationTask {
  private static final int BYTES_PER_TOKEN = 4; // in English text

  private final String requestId;
  private final int[] promptTokens;
  private final int choices;
  private final String cacheSalt;
  private final OptionalInt maxTokens;
  private final int minTokens;
  private final boolean ignoreEos;
  private final int[] eosTokenIds;
  private final int[] stopTokenIds;
  private final SamplingParams sampling;
  private final Optional<Constraint> constraint;
  private final OptionalLong deadlineNanos;
  private final OptionalInt outputLogprobs;
  private final OptionalInt promptLogprobs;
  private final Map<Integer, Resumed> resumed;
  private final Optional<BeamParams> beam;
  private final Optional<String> promptText;

  /** What a choice has output elsewhere, and whether that was all. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Resumed(int[] tokens, boolean finished) {
    private static final Resumed NOTHING = new Resumed(new int[0], false);
  }

  private final OptionalLong ttftTargetNanos;
  private final String tenant;
  private final int priority;
  private final Context trace;

  private GenerationTask(Builder builder) {
    requestId = builder.requestId;
    promptTokens = builder.promptTokens;
    choices = builder.choices;
    cacheSalt = builder.cacheSalt;
    maxTokens = builder.maxTokens;
    minTokens = builder.minTokens;
    ignoreEos = builder.ignoreEos;
    eosTokenIds = builder.eosTokenIds;
    stopTokenIds = builder.stopTokenIds;
    sampling = builder.sampling;
    constraint = builder.constraint;
    deadlineNanos = builder.deadlineNanos;
    outputLogprobs = builder.outputLogprobs;
    promptLogprobs = builder.promptLogprobs;
    resumed = Map.copyOf(builder.resumed);
    beam = builder.beam;
    promptText = builder.promptText;
    ttftTargetNanos = builder.ttftTargetNanos;
    tenant = builder.tenant;
    priority = builder.priority;
    trace = builder.trace;
  }

  /**
   * A task with these tokens as its prompt, greedy, without limits; the builder adds the rest.
   *
   * @param requestId for messages and logs
   * @param promptTokens copied
   */
  public static Builder builder(String requestId, int... promptTokens) {
    return new Builder(requestId, promptTokens.clone());
  }

  public String requestId() {
    return requestId;
  }

  /** Number of prompt tokens. */
  public int promptLength() {
    return promptTokens.length;
  }

  /** Tokens that a text is in about, for those who cannot tokenize it. */
  public static int estimatedTokens(String text) {
    return Math.ceilDiv(text.getBytes(StandardCharsets.UTF_8).length, BYTES_PER_TOKEN);
  }

  /** The prompt; a copy. */
  public int[] promptTokens() {
    return promptTokens.clone();
  }

  /** Number of choices generated from the prompt. */
  public int choices() {
    return choices;
  }

  /** Only tasks with the same salt share cached prefixes. */
  public String cacheSalt() {
    return cacheSalt;
  }

  /** Most output tokens of a choice; if empty, as many as fit the context and the KV pool. */
  public OptionalInt maxTokens() {
    return maxTokens;
  }

  /** Output tokens before an end-of-sequence (unless ignored) or stop token may come. */
  public int minTokens() {
    return minTokens;
  }

  /** Whether generation goes on past an end-of-sequence token. */
  public boolean ignoreEos() {
    return ignoreEos;
  }

  /** The model's end-of-sequence tokens; a copy. */
  public int[] eosTokenIds() {
    return eosTokenIds.clone();
  }

  /** Further tokens that end a choice; a copy. */
  public int[] stopTokenIds() {
    return stopTokenIds.clone();
  }

  /** The prompt as text, for engines that tokenize themselves. */
  public Optional<String> promptText() {
    return promptText;
  }

  public SamplingParams sampling() {
    return sampling;
  }

  /** When the request's time is over, on the engine's clock. */
  public OptionalLong deadlineNanos() {
    return deadlineNanos;
  }

  /** If present, log-probabilities of output tokens are told, with so many of the most likely. */
  public OptionalInt outputLogprobs() {
    return outputLogprobs;
  }

  /** If present, log-probabilities of prompt tokens are told, with so many of the most likely. */
  public OptionalInt promptLogprobs() {
    return promptLogprobs;
  }

  /** Beam search instead of sampling; then each choice is a beam. */
  public Optional<BeamParams> beam() {
    return beam;
  }

  /** Tokens that a choice has output elsewhere: it goes on behind them. Not to be changed. */
  int[] resumedTokens(int choice) {
    return resumed.getOrDefault(choice, Resumed.NOTHING).tokens();
  }

  /** Most tokens that a choice has output elsewhere. */
  int longestResumed() {
    return resumed.values().stream().mapToInt(choice -> choice.tokens().length).max().orElse(0);
  }

  /** Whether a choice has come to its end elsewhere. */
  boolean isFinished(int choice) {
    return resumed.getOrDefault(choice, Resumed.NOTHING).finished();
  }

  /** Whether there is anything to go on from. */
  public boolean isResumed() {
    return !resumed.isEmpty();
  }

  /** Whether a choice ends with this token, because the model or the caller says so. */
  public boolean endsChoice(int tokenId) {
    return isEndOfSequence(tokenId) || isStopToken(tokenId);
  }

  /** Why a choice ends with a token that {@link #endsChoice}. */
  public FinishCause endingCause(int tokenId) {
    return isEndOfSequence(tokenId)
        ? new FinishCause.EndOfSequence(tokenId)
        : new FinishCause.StopToken(tokenId);
  }

  /** What the choice of tokens depends on, at the start of the output. */
  DecodingState newDecodingState() {
    return DecodingState.start(sampling, promptTokens, constraint, endings());
  }

  /** The tokens that must not come before {@link #minTokens} are there. */
  int[] endings() {
    return IntStream.concat(
            ignoreEos ? IntStream.empty() : IntStream.of(eosTokenIds), IntStream.of(stopTokenIds))
        .toArray();
  }

  /** Time to first token that the caller can live with; refused if predicted to take longer. */
  public OptionalLong ttftTargetNanos() {
    return ttftTargetNanos;
  }

  /** On whose account it runs. */
  public String tenant() {
    return tenant;
  }

  /** Higher goes first. */
  public int priority() {
    return priority;
  }

  /** The trace that its measurements belong to. */
  public Context trace() {
    return trace;
  }

  /** Whether the choice ends with this token because the model says so. */
  boolean isEndOfSequence(int tokenId) {
    return !ignoreEos && contains(eosTokenIds, tokenId);
  }

  /** Whether the choice ends with this token because the caller says so. */
  boolean isStopToken(int tokenId) {
    return contains(stopTokenIds, tokenId);
  }

  /**
   * Makes the tokens impossible that must not come before {@link #minTokens} are there.
   *
   * @param rowStart index of the row's first logit
   */
  void banEndings(MemorySegment logits, long rowStart) {
    if (!ignoreEos) {
      ban(eosTokenIds, logits, rowStart);
    }
    ban(stopTokenIds, logits, rowStart);
  }

  /** The first token outside the vocabulary, of all that are named. */
  OptionalInt firstTokenOutside(int vocabularySize) {
    for (int[] ids : new int[][] {promptTokens, eosTokenIds, stopTokenIds}) {
      for (int id : ids) {
        if (id < 0 || id >= vocabularySize) {
          return OptionalInt.of(id);
        }
      }
    }
    for (Resumed choice : resumed.values()) {
      for (int id : choice.tokens()) {
        if (id < 0 || id >= vocabularySize) {
          return OptionalInt.of(id);
        }
      }
    }
    return sampling.rules().firstOutside(vocabularySize);
  }

  /** The prompt at the start of an array of this capacity. */
  int[] promptWithCapacity(int capacity) {
    return Arrays.copyOf(promptTokens, capacity);
  }

  private static void ban(int[] ids, MemorySegment logits, long rowStart) {
    for (int id : ids) {
      logits.setAtIndex(ValueLayout.JAVA_FLOAT, rowStart + id, Float.NEGATIVE_INFINITY);
    }
  }

  private static boolean contains(int[] ids, int tokenId) {
    for (int id : ids) {
      if (id == tokenId) {
        return true;
      }
    }
    return false;
  }

  /** Collects what a task needs beside its prompt. */
  public static final class Builder {
    private static final int[] NONE = {};

    private final String requestId;
    private final int[] promptTokens;
    private int choices = 1;
    private String cacheSalt = "";
    private OptionalInt maxTokens = OptionalInt.empty();
    private int minTokens;
    private boolean ignoreEos;
    private int[] eosTokenIds = NONE;
    private int[] stopTokenIds = NONE;
    private SamplingParams sampling = SamplingParams.GREEDY;
    private Optional<Constraint> constraint = Optional.empty();
    private OptionalLong deadlineNanos = OptionalLong.empty();
    private OptionalInt outputLogprobs = OptionalInt.empty();
    private OptionalInt promptLogprobs = OptionalInt.empty();
    private final Map<Integer, Resumed> resumed = new HashMap<>();
    private Optional<BeamParams> beam = Optional.empty();
    private Optional<String> promptText = Optional.empty();
    private OptionalLong ttftTargetNanos = OptionalLong.empty();
    private String tenant = "default";
    private int priority;
    private Context trace = Context.root();

    private Builder(String requestId, int[] promptTokens) {
      this.requestId = requestId;
      this.promptTokens = promptTokens;
    }

    /** The prompt as text, for engines that tokenize themselves; default none. */
    public Builder promptText(String promptText) {
      this.promptText = Optional.of(promptText);
      return this;
    }

    /** Number of choices, at least 1; default 1. */
    public Builder choices(int choices) {
      if (choices < 1) {
        throw new IllegalArgumentException("choices: " + choices + " (expected: >= 1)");
      }
      this.choices = choices;
      return this;
    }

    /** Default empty. */
    public Builder cacheSalt(String cacheSalt) {
      this.cacheSalt = cacheSalt;
      return this;
    }

    /** Most output tokens of a choice, at least 1. */
    public Builder maxTokens(int maxTokens) {
      if (maxTokens < 1) {
        throw new IllegalArgumentException("maxTokens: " + maxTokens + " (expected: >= 1)");
      }
      this.maxTokens = OptionalInt.of(maxTokens);
      return this;
    }

    /** Least output tokens; default 0. */
    public Builder minTokens(int minTokens) {
      if (minTokens < 0) {
        throw new IllegalArgumentException("minTokens: " + minTokens + " (expected: >= 0)");
      }
      this.minTokens = minTokens;
      return this;
    }

    /** Default false. */
    public Builder ignoreEos(boolean ignoreEos) {
      this.ignoreEos = ignoreEos;
      return this;
    }

    /** The model's end-of-sequence tokens; default none. */
    public Builder eosTokenIds(int... ids) {
      this.eosTokenIds = ids.clone();
      return this;
    }

    /** Further tokens that end a choice; default none. */
    public Builder stopTokenIds(int... ids) {
      this.stopTokenIds = ids.clone();
      return this;
    }

    /** Default greedy. */
    public Builder sampling(SamplingParams sampling) {
      this.sampling = sampling;
      return this;
    }

    /** What the output must conform to; default nothing. */
    public Builder constraint(Constraint constraint) {
      this.constraint = Optional.of(constraint);
      return this;
    }

    /** On the engine's clock; default none. */
    public Builder deadlineNanos(long deadlineNanos) {
      this.deadlineNanos = OptionalLong.of(deadlineNanos);
      return this;
    }

    /** Log-probabilities of output tokens, and of so many of the most likely; default none. */
    public Builder outputLogprobs(int topN) {
      this.outputLogprobs = OptionalInt.of(topN);
      return this;
    }

    /** Log-probabilities of prompt tokens, and of so many of the most likely; default none. */
    public Builder promptLogprobs(int topN) {
      this.promptLogprobs = OptionalInt.of(topN);
      return this;
    }

    /** Beam search instead of sampling; sets the number of choices, too. Default none. */
    public Builder beam(BeamParams params) {
      this.beam = Optional.of(params);
      return choices(params.width());
    }

    /**
     * Lets a choice go on where another engine left it.
     *
     * @param tokens its output so far, copied; the listener will not hear of them
     * @param finished whether it has come to its end: the listener will hear nothing of it
     */
    public Builder resume(int choice, int[] tokens, boolean finished) {
      resumed.put(choice, new Resumed(tokens.clone(), finished));
      return this;
    }

    /** Default none. */
    public Builder trace(Context trace) {
      this.trace = trace;
      return this;
    }

    /** Above 0; default none. */
    public Builder ttftTargetNanos(long ttftTargetNanos) {
      if (ttftTargetNanos < 1) {
        throw new IllegalArgumentException(
            "ttftTargetNanos: " + ttftTargetNanos + " (expected: >= 1)");
      }
      this.ttftTargetNanos = OptionalLong.of(ttftTargetNanos);
      return this;
    }

    /** Default {@code default}. */
    public Builder tenant(String tenant) {
      this.tenant = tenant;
      return this;
    }

    /** {@link FairQueue#MIN_PRIORITY} to {@link FairQueue#MAX_PRIORITY}; default 0. */
    public Builder priority(int priority) {
      if (priority < FairQueue.MIN_PRIORITY || priority > FairQueue.MAX_PRIORITY) {
        throw new IllegalArgumentException(
            "priority: "
                + priority
                + " (expected: "
                + FairQueue.MIN_PRIORITY
                + " to "
                + FairQueue.MAX_PRIORITY
                + ")");
      }
      this.priority = priority;
      return this;
    }

    public GenerationTask build() {
      return new GenerationTask(this);
    }
  }
}
