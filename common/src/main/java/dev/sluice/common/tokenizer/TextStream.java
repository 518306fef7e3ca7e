package dev.sluice.common.tokenizer;

import java.util.Arrays;

/**
 * Turns one sequence's generated tokens into text as they come. All parts and the {@link #flush}
 * together are {@code decode(all tokens, skipSpecial = true)}.
 *
 * <p>A token alone cannot be decoded: decoders join bytes of neighbouring tokens to characters and
 * strip the space of the first. So a window of the latest tokens is decoded at each step, and what
 * goes beyond the text that was already given out is new:
 *
 * <pre>
 *   tokens   [ ... | context  |  ... | held ]
 *   text           | given out       | U+FFFD, may become a character
 *                  ^ start of window ^ clean
 * </pre>
 *
 * At a clean place all text is given out, so no character spans it and the window may start there.
 * Three U+FFFD are held back at most, as an unfinished character has at most three bytes. The
 * window stays small, so a token costs the same however long the text is.
 *
 * <p>Only garbage from decoders that judge a whole run of bytes (byte fallback of SentencePiece)
 * can make the parts differ from the decoded whole: there the whole run would turn to U+FFFD
 * afterwards, and characters that were given out stay.
 *
 * <p>Threading: one thread at a time.
 */
public final class TextStream {
  /** Window length from which it is cut, in tokens. */
  private static final int CUT_AT = 16;

  /** As {@link #CUT_AT}, while there is no clean place. */
  private static final int CUT_UNCLEAN_AT = 32;

  /** For how many tokens text that contradicts what was given out is waited to become right. */
  private static final int MAX_CONTRADICTING = 8;

  private static final int MAX_HELD_CHARS = 3;

  private final Tokenizer tokenizer;
  private final int[] window = new int[CUT_UNCLEAN_AT + 2 * MAX_CONTRADICTING];
  private int count;

  /** Text of the window that was given out. */
  private String given = "";

  /** Tokens of the window before the latest clean place. */
  private int clean;

  /** Length of {@link #given} at the latest clean place. */
  private int cleanChars;

  private boolean ended;

  TextStream(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * Adds a token and returns the text that became certain; may be empty, never ends in half a
   * character.
   *
   * @throws dev.sluice.common.error.RefusalException if the id is not in the vocabulary
   */
  public String append(int tokenId) {
    if (ended) {
      throw new IllegalStateException("token " + tokenId + " after the end of the text");
    }
    if (tokenizer.isSpecial(tokenId)) {
      return "";
    }
    window[count++] = tokenId;
    String text;
    try {
      text = decode(0, count);
    } catch (RuntimeException e) {
      count--;
      throw e;
    }
    if (!text.startsWith(given)) {
      return count - clean > MAX_CONTRADICTING ? restart() : "";
    }
    int certain = Math.max(text.length() - heldChars(text), given.length());
    String part = text.substring(given.length(), certain);
    given = text.substring(0, certain);
    if (certain == text.length()) {
      cutAtCleanPlace();
    } else if (count >= CUT_UNCLEAN_AT) {
      return cutUnclean(text) ? part : part + restart();
    }
    return part;
  }

  /** Ends the text: returns what was held back. */
  public String flush() {
    ended = true;
    String text = decode(0, count);
    String rest = text.startsWith(given) ? text.substring(given.length()) : afterClean();
    count = 0;
    given = "";
    markClean();
    return rest;
  }

  /** Keeps, as context, the tokens after the clean place before this one. */
  private void cutAtCleanPlace() {
    if (count >= CUT_AT) {
      String context = decode(clean, count);
      // Without text there is nothing that a decoder could strip in place of the next token's.
      if (!context.isEmpty() || count >= CUT_UNCLEAN_AT) {
        dropFirst(clean);
        given = context;
      }
    }
    markClean();
  }

  /**
   * Drops tokens of a window that never comes to a clean place, such as bytes that are no UTF-8. If
   * two pieces decode apart as they do together, then no character spans the cut.
   */
  private boolean cutUnclean(String text) {
    for (int cut = count - MAX_HELD_CHARS - 1; cut > 0; cut--) {
      String dropped = decode(0, cut);
      if (dropped.length() <= given.length() && text.equals(dropped + decode(cut, count))) {
        dropFirst(cut);
        given = given.substring(dropped.length());
        clean = 0;
        cleanChars = 0;
        return true;
      }
    }
    return false;
  }

  /** Gives out what came after the clean place, as it is, and goes on from there. */
  private String restart() {
    String rest = afterClean();
    dropFirst(clean);
    given = decode(0, count);
    markClean();
    return rest;
  }

  /** Text of the tokens after the clean place, decoded alone, without what was given out of it. */
  private String afterClean() {
    String text = decode(clean, count);
    int skip = Math.min(given.length() - cleanChars, text.length());
    if (skip > 0 && skip < text.length() && Character.isLowSurrogate(text.charAt(skip))) {
      skip++;
    }
    return text.substring(skip);
  }

  private void markClean() {
    clean = count;
    cleanChars = given.length();
  }

  private void dropFirst(int tokens) {
    System.arraycopy(window, tokens, window, 0, count - tokens);
    count -= tokens;
  }

  private String decode(int from, int to) {
    return tokenizer.decode(Arrays.copyOfRange(window, from, to), true);
  }

  /** Replacement characters at the end that further bytes may turn into a character. */
  private static int heldChars(String text) {
    int held = 0;
    while (held < MAX_HELD_CHARS
        && held < text.length()
        && text.charAt(text.length() - 1 - held) == '\uFFFD') {
      held++;
    }
    return held;
  }
}
