package dev.sluice.worker.sampling;

import dev.sluice.worker.kernel.LogitMask;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * What a request says of single tokens: a bias, or whether they can be chosen at all. Immutable.
 */
public final class TokenRules {
  public static final TokenRules NONE = new TokenRules(Map.of(), new int[0], new int[0]);

  private final int[] biased; // ascending
  private final float[] biases; // of these
  private final BitSet allowed; // empty: all
  private final long[] allowedMask; // a bit per token; those beyond its end are not allowed
  private final int[] banned; // ascending

  /**
   * @param bias added to the logits of single tokens
   * @param allowed if not empty, only these tokens can be chosen
   * @param banned these tokens are never chosen
   */
  public TokenRules(Map<Integer, Float> bias, int[] allowed, int[] banned) {
    this.biased = new int[bias.size()];
    this.biases = new float[bias.size()];
    int count = 0;
    for (Map.Entry<Integer, Float> entry : new TreeMap<>(bias).entrySet()) {
      biased[count] = entry.getKey();
      biases[count++] = entry.getValue();
      if (!Float.isFinite(entry.getValue())) {
        throw new IllegalArgumentException(
            "bias of token " + entry.getKey() + ": " + entry.getValue() + " (expected: a number)");
      }
    }
    this.banned = IntStream.of(banned).distinct().sorted().toArray();
    this.allowed = new BitSet();
    IntStream.of(allowed).forEach(this.allowed::set);
    this.allowedMask = this.allowed.toLongArray();
  }

  boolean areNone() {
    return biased.length == 0 && allowed.isEmpty() && banned.length == 0;
  }

  /** The first token that is not below this, of all that are named. */
  public OptionalInt firstOutside(int vocabularySize) {
    return IntStream.of(last(biased), allowed.length() - 1, last(banned))
        .filter(token -> token >= vocabularySize)
        .findFirst();
  }

  private static int last(int[] ascending) {
    return ascending.length == 0 ? 0 : ascending[ascending.length - 1];
  }

  /**
   * Whether a token is left to choose.
   *
   * @param tokens those there are, from 0 on
   * @param alsoBanned further tokens that cannot be chosen
   */
  public boolean leaveAny(int tokens, int[] alsoBanned) {
    if (allowed.isEmpty() && banned.length + alsoBanned.length < tokens) {
      return true;
    }
    BitSet left = new BitSet();
    if (allowed.isEmpty()) {
      left.set(0, tokens);
    } else {
      left.or(allowed);
      left.clear(tokens, Math.max(tokens, left.length()));
    }
    IntStream.concat(IntStream.of(banned), IntStream.of(alsoBanned)).forEach(left::clear);
    return !left.isEmpty();
  }

  /**
   * Applies bias, then allowed, then banned tokens.
   *
   * @param rowStart index of the row's first logit
   * @param tokens of the row
   */
  void apply(MemorySegment logits, long rowStart, int tokens) {
    for (int i = 0; i < biased.length; i++) {
      long at = rowStart + biased[i];
      logits.setAtIndex(
          ValueLayout.JAVA_FLOAT, at, logits.getAtIndex(ValueLayout.JAVA_FLOAT, at) + biases[i]);
    }
    if (allowedMask.length > 0) {
      LogitMask.keep(logits, rowStart, tokens, allowedMask);
    }
    for (int token : banned) {
      logits.setAtIndex(ValueLayout.JAVA_FLOAT, rowStart + token, Float.NEGATIVE_INFINITY);
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TokenRules that
        && Arrays.equals(biased, that.biased)
        && Arrays.equals(biases, that.biases)
        && allowed.equals(that.allowed)
        && Arrays.equals(banned, that.banned);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * Arrays.hashCode(biased) + allowed.hashCode()) + Arrays.hashCode(banned);
  }

  @Override
  public String toString() {
    return "TokenRules[biased="
        + Arrays.toString(biased)
        + ", biases="
        + Arrays.toString(biases)
        + ", allowed="
        + allowed
        + ", banned="
        + Arrays.toString(banned)
        + "]";
  }
}
