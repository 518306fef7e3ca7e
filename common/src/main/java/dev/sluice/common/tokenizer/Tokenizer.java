package dev.sluice.common.tokenizer;

import dev.sluice.common.error.RefusalException;

/**
 * Text to token ids and back.
 *
 * <p>Whether a beginning-of-sequence token is added is decided here, from {@link
 * TokenizerBundle#addBos}, never by the post-processor of {@code tokenizer.json}. Nothing is
 * truncated or padded, and decoded text is never tidied up.
 *
 * <p>Threading: safe for any number of threads. Calls that are running when it is closed end
 * normally; later ones fail with {@link IllegalStateException}.
 */
public final class Tokenizer implements AutoCloseable {
  private static final int[] NO_TOKENS = {};

  private final NativeTokenizer library;
  private final TokenizerIndex index;
  private final String fingerprint;

  /** Put before text prompts: the beginning-of-sequence token, or nothing. */
  private final int[] textPrefix;

  private Tokenizer(
      NativeTokenizer library, TokenizerIndex index, String fingerprint, int[] textPrefix) {
    this.library = library;
    this.index = index;
    this.fingerprint = fingerprint;
    this.textPrefix = textPrefix;
  }

  /**
   * Loads the bundle's {@code tokenizer.json}.
   *
   * @throws TokenizerException if it cannot be used, or has no beginning-of-sequence token where
   *     one is to be added
   */
  public static Tokenizer load(TokenizerBundle bundle) {
    TokenizerIndex index = TokenizerIndex.read(bundle.tokenizerJson(), bundle.bosToken());
    int[] textPrefix = NO_TOKENS;
    if (bundle.addBos()) {
      textPrefix =
          new int[] {
            index
                .wantedId()
                .orElseThrow(() ->
                    new TokenizerException(
                        "beginning-of-sequence token: '"
                            + bundle.bosToken()
                            + "' (expected: a token of tokenizer.json)"))
          };
    }
    NativeTokenizer library = NativeTokenizer.parse(bundle.tokenizerJson());
    try {
      index.added().forEach((token, id) -> checkId(library, token, id));
    } catch (TokenizerException e) {
      library.close();
      throw e;
    }
    return new Tokenizer(library, index, bundle.fingerprint(), textPrefix);
  }

  /** The library numbers added tokens itself where model.vocab lacks them, and only warns. */
  private static void checkId(NativeTokenizer library, String token, int id) {
    long[] actual = library.encode(token);
    if (actual.length == 1 && actual[0] != id) {
      throw new TokenizerException(
          "added token '%s': id %d (expected: %d, which follows from model.vocab)"
              .formatted(token, id, actual[0]));
    }
  }

  /**
   * Tokens of a text prompt, the beginning-of-sequence token first if the bundle asks for one.
   * Special tokens that are written out in the text are recognised.
   */
  public int[] encode(String text) {
    return encode(text, textPrefix);
  }

  /** Tokens of a rendered chat template: it writes its beginning-of-sequence token itself. */
  public int[] encodeRendered(String text) {
    return encode(text, NO_TOKENS);
  }

  /**
   * Text of the tokens; bytes that are no UTF-8 become U+FFFD.
   *
   * @param skipSpecial whether special tokens are left out
   * @throws RefusalException if an id is not in {@code [0, vocabularySize())}
   */
  public String decode(int[] ids, boolean skipSpecial) {
    long[] wide = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= index.size()) {
        throw RefusalException.invalid(
            "token_ids[" + i + "]", ids[i] + " (expected: 0 to " + (index.size() - 1) + ")");
      }
      wide[i] = ids[i];
    }
    return library.decode(wide, skipSpecial);
  }

  /** Ids are below it. */
  public int vocabularySize() {
    return index.size();
  }

  /** Whether the token is left out of text when special tokens are skipped. */
  public boolean isSpecial(int id) {
    return id >= 0 && index.isSpecial(id);
  }

  /** {@link TokenizerBundle#fingerprint} of the bundle that it was loaded from. */
  public String fingerprint() {
    return fingerprint;
  }

  TokenizerIndex index() {
    return index;
  }

  /** A new stream that turns generated tokens into text as they come. */
  public TextStream textStream() {
    return new TextStream(this);
  }

  @Override
  public void close() {
    library.close();
  }

  private int[] encode(String text, int[] prefix) {
    long[] encoded = library.encode(text);
    int[] ids = new int[prefix.length + encoded.length];
    System.arraycopy(prefix, 0, ids, 0, prefix.length);
    for (int i = 0; i < encoded.length; i++) {
      ids[prefix.length + i] = (int) encoded[i];
    }
    return ids;
  }
}
