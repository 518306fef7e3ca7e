package dev.sluice.common.tokenizer;

/**
 * A text, its tokens, and where both can be cut.
 *
 * <p>Threading: immutable.
 */
public final class EncodedText {
  private final String text;
  private final int[] tokens;
  private final int[] cutCharacters; // ascending: a special token begins there in the text
  private final int[] cutTokens; // [cutCharacters.length]: and there in the tokens

  EncodedText(String text, int[] tokens, int[] cutCharacters, int[] cutTokens) {
    this.text = text;
    this.tokens = tokens;
    this.cutCharacters = cutCharacters;
    this.cutTokens = cutTokens;
  }

  public String text() {
    return text;
  }

  /** Not to be changed. */
  public int[] tokens() {
    return tokens;
  }

  int cuts() {
    return cutCharacters.length;
  }

  int cutCharacter(int cut) {
    return cutCharacters[cut];
  }

  int cutToken(int cut) {
    return cutTokens[cut];
  }

  /** The last cut that is not behind this character, or -1. */
  int lastCut(int character) {
    int cut = cuts() - 1;
    while (cut >= 0 && cutCharacters[cut] > character) {
      cut--;
    }
    return cut;
  }

  /** Roughly, in bytes. */
  public long size() {
    return 2L * text.length() + 4L * tokens.length + 8L * cuts();
  }
}
