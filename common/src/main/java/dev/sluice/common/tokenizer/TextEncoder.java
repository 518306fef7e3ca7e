package dev.sluice.common.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Tokenizes a text that begins like an earlier one, such as the next turn of a conversation, by
 * tokenizing only what is new.
 *
 * <pre>
 *   earlier   &lt;|im_start|&gt;user\nHi&lt;|im_end|&gt;\n&lt;|im_start|&gt;assistant\n
 *   text      &lt;|im_start|&gt;user\nHi&lt;|im_end|&gt;\n&lt;|im_start|&gt;assistant\nHello&lt;|im_end|&gt; ...
 *             ---------- tokens of the earlier one ---------^- tokenized ----------------
 * </pre>
 *
 * The tokens are those of the whole text: a special token is found before anything else is done
 * with a text, and nothing on its one side has to do with the tokens on its other. Texts are cut
 * only before special tokens that strip nothing around them and that no other added token can
 * overlap.
 *
 * <p>Threading: immutable; used by all calls at once. Does not own the tokenizer.
 */
public final class TextEncoder {
  private final Tokenizer tokenizer;
  private final Map<String, Integer> borders;
  private final BitSet borderIds = new BitSet();
  private final Map<Character, List<String>> byFirst; // longest first
  private final BitSet firsts = new BitSet(); // characters that borders begin with
  private final int prefixTokens; // put before text prompts

  public TextEncoder(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
    this.borders = new HashMap<>(tokenizer.index().plain());
    borders
        .keySet()
        .removeIf(border ->
            tokenizer.index().added().keySet().stream().anyMatch(t -> reachesInto(t, border)));
    this.byFirst = new HashMap<>();
    borders.values().forEach(borderIds::set);
    for (String border : borders.keySet()) {
      firsts.set(border.charAt(0));
      byFirst.computeIfAbsent(border.charAt(0), _ -> new ArrayList<>()).add(border);
    }
    byFirst.values().forEach(list -> list.sort(Comparator.comparingInt(String::length).reversed()));
    this.prefixTokens = tokenizer.encode("").length;
  }

  /** Whether a token that begins before a border, or where it does, can take characters of it. */
  private static boolean reachesInto(String token, String border) {
    if (token.contains(border)) {
      return !token.equals(border);
    }
    for (int length = 1; length < border.length(); length++) {
      if (token.endsWith(border.substring(0, length))) {
        return true;
      }
    }
    return false;
  }

  /**
   * Tokens of a text.
   *
   * @param rendered whether a chat template made it, so that nothing is put before it
   * @param earlier a text of the same kind that may begin likewise
   */
  public EncodedText encode(String text, boolean rendered, Optional<EncodedText> earlier) {
    if (earlier.isPresent()) {
      EncodedText known = earlier.get();
      int cut = known.lastCut(equalCharacters(known.text(), text));
      // A cut where the texts part may be a different token's beginning: the one before is safe.
      while (cut >= 0 && !bordersAgree(known, cut, text)) {
        cut--;
      }
      if (cut >= 0 && known.cutToken(cut) > 0) {
        return goOn(known, cut, text);
      }
    }
    int[] tokens = rendered ? tokenizer.encodeRendered(text) : tokenizer.encode(text);
    return withCuts(text, tokens, 0, rendered ? 0 : prefixTokens, new int[0], new int[0]);
  }

  private EncodedText goOn(EncodedText known, int cut, String text) {
    int character = known.cutCharacter(cut);
    int token = known.cutToken(cut);
    int[] rest = tokenizer.encodeRendered(text.substring(character));
    int[] tokens = Arrays.copyOf(known.tokens(), token + rest.length);
    System.arraycopy(rest, 0, tokens, token, rest.length);
    int[] characters = new int[cut];
    int[] places = new int[cut];
    for (int i = 0; i < cut; i++) {
      characters[i] = known.cutCharacter(i);
      places[i] = known.cutToken(i);
    }
    return withCuts(text, tokens, character, token, characters, places);
  }

  /** Whether the border of a cut is in the text as well, all of it. */
  private boolean bordersAgree(EncodedText known, int cut, String text) {
    String border = borderAt(known.text(), known.cutCharacter(cut));
    return border.equals(borderAt(text, known.cutCharacter(cut)));
  }

  /** Adds the cuts from a character and a token on; none if the two do not tell the same. */
  private EncodedText withCuts(
      String text,
      int[] tokens,
      int fromCharacter,
      int fromToken,
      int[] cutCharacters,
      int[] cutTokens) {
    List<Integer> ids = new ArrayList<>();
    List<Integer> characters = new ArrayList<>();
    for (int i = fromCharacter; i < text.length(); i++) {
      String border = borderAt(text, i);
      if (!border.isEmpty()) {
        ids.add(borders.get(border));
        characters.add(i);
        i += border.length() - 1;
      }
    }
    int found = cutCharacters.length;
    int[] moreCharacters = Arrays.copyOf(cutCharacters, found + ids.size());
    int[] moreTokens = Arrays.copyOf(cutTokens, found + ids.size());
    int next = 0;
    for (int i = fromToken; i < tokens.length; i++) {
      if (borderIds.get(tokens[i])) {
        if (next == ids.size() || ids.get(next) != tokens[i]) {
          return new EncodedText(text, tokens, cutCharacters, cutTokens);
        }
        moreCharacters[found + next] = characters.get(next);
        moreTokens[found + next] = i;
        next++;
      }
    }
    return next == ids.size()
        ? new EncodedText(text, tokens, moreCharacters, moreTokens)
        : new EncodedText(text, tokens, cutCharacters, cutTokens);
  }

  /** The longest border that begins there; empty if none does. */
  private String borderAt(String text, int character) {
    if (character < text.length() && firsts.get(text.charAt(character))) {
      for (String border : byFirst.getOrDefault(text.charAt(character), List.of())) {
        if (text.startsWith(border, character)) {
          return border;
        }
      }
    }
    return "";
  }

  private static int equalCharacters(String one, String other) {
    int length = Math.min(one.length(), other.length());
    int i = 0;
    while (i < length && one.charAt(i) == other.charAt(i)) {
      i++;
    }
    return i;
  }
}
