package dev.sluice.common.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The bytes that each token adds to the text: what a decoder makes of tokens, undone. The bytes of
 * all output tokens in a row are the UTF-8 text, but for the first space where {@link
 * #stripsFirstSpace} says so.
 *
 * <p>Known are the decoders of byte-level vocabularies ({@code ByteLevel}) and of SentencePiece
 * ({@code Metaspace}, or {@code Replace}, {@code ByteFallback}, {@code Fuse}, {@code Strip} in
 * sequence).
 *
 * <p>Threading: immutable.
 */
public final class TokenBytes {
  private static final byte[] NONE = {};

  private final byte[][] bytes; // [tokens]
  private final boolean stripsFirstSpace;

  private TokenBytes(byte[][] bytes, boolean stripsFirstSpace) {
    this.bytes = bytes;
    this.stripsFirstSpace = stripsFirstSpace;
  }

  /**
   * Reads them out of the bundle's {@code tokenizer.json}.
   *
   * @throws TokenizerException if the decoder is not one of those known
   */
  public static TokenBytes read(TokenizerBundle bundle) {
    JsonNode root = TokenizerIndex.tree(bundle.tokenizerJson());
    List<JsonNode> decoders = decoders(root.path("decoder"));
    Map<Integer, byte[]> ofIds = new HashMap<>();
    JsonNode vocabulary = root.path("model").path("vocab");
    if (vocabulary.isArray()) {
      for (int id = 0; id < vocabulary.size(); id++) {
        ofIds.put(id, bytes(vocabulary.get(id).path(0).asText(), decoders));
      }
    } else {
      vocabulary
          .properties()
          .forEach(
              token -> ofIds.put(token.getValue().intValue(), bytes(token.getKey(), decoders)));
    }
    for (JsonNode token : root.path("added_tokens")) {
      ofIds.put(
          token.path("id").intValue(),
          token.path("special").booleanValue()
              ? NONE
              : bytes(token.path("content").asText(), decoders));
    }
    byte[][] bytes = new byte[ofIds.keySet().stream().mapToInt(id -> id + 1).max().orElse(0)][];
    for (int id = 0; id < bytes.length; id++) {
      bytes[id] = ofIds.getOrDefault(id, NONE);
    }
    return new TokenBytes(bytes, decoders.stream().anyMatch(TokenBytes::strips));
  }

  /** Number of tokens; ids are below it. */
  public int size() {
    return bytes.length;
  }

  /** A token's bytes, not to be changed; empty if it adds no text, as special tokens do. */
  public byte[] of(int id) {
    return bytes[id];
  }

  /** Whether a space at the very start of the output is left out of its text. */
  public boolean stripsFirstSpace() {
    return stripsFirstSpace;
  }

  /** The decoders in their order, all of them known. */
  private static List<JsonNode> decoders(JsonNode decoder) {
    List<JsonNode> list = new ArrayList<>();
    if (decoder.path("type").asText().equals("Sequence")) {
      decoder.path("decoders").forEach(list::add);
    } else {
      list.add(decoder);
    }
    for (JsonNode part : list) {
      boolean known =
          switch (part.path("type").asText()) {
            case "ByteLevel", "Metaspace", "ByteFallback", "Fuse" -> true;
            case "Replace" -> part.path("pattern").has("String");
            case "Strip" ->
                part.path("content").asText().equals(" ")
                    && part.path("start").intValue() <= 1
                    && part.path("stop").intValue() == 0;
            default -> false;
          };
      if (!known) {
        throw new TokenizerException(
            "decoder: "
                + part
                + " (expected: ByteLevel, Metaspace, ByteFallback, Fuse, Replace of a text,"
                + " or Strip of one leading space)");
      }
    }
    return list;
  }

  private static boolean strips(JsonNode decoder) {
    return switch (decoder.path("type").asText()) {
      case "Strip" -> decoder.path("start").intValue() == 1;
      case "Metaspace" ->
          !decoder.path("prepend_scheme").asText("always").equals("never")
              && decoder.path("add_prefix_space").asBoolean(true);
      default -> false;
    };
  }

  private static byte[] bytes(String token, List<JsonNode> decoders) {
    String text = token;
    for (JsonNode decoder : decoders) {
      switch (decoder.path("type").asText()) {
        case "ByteLevel" -> {
          return ofAlphabet(text);
        }
        case "ByteFallback" -> {
          if (text.matches("<0x[0-9A-Fa-f]{2}>")) {
            return new byte[] {(byte) Integer.parseInt(text.substring(3, 5), 16)};
          }
        }
        case "Metaspace" -> text = text.replace(decoder.path("replacement").asText("\u2581"), " ");
        case "Replace" ->
            text =
                text.replace(
                    decoder.path("pattern").path("String").asText(),
                    decoder.path("content").asText());
        default -> {}
      }
    }
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Undoes GPT-2's printable bytes; a token with any other character stands for itself. */
  private static byte[] ofAlphabet(String token) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(token.length());
    for (int i = 0; i < token.length(); i++) {
      int b = ofAlphabet(token.charAt(i));
      if (b < 0) {
        return token.getBytes(StandardCharsets.UTF_8);
      }
      bytes.write(b);
    }
    return bytes.toByteArray();
  }

  /** The byte that a character of GPT-2's alphabet stands for; negative if it is none. */
  private static int ofAlphabet(char c) {
    if ((c >= '!' && c <= '~') || (c >= 0xA1 && c <= 0xAC) || (c >= 0xAE && c <= 0xFF)) {
      return c;
    }
    // The other bytes, in order: 0 to 32, 127 to 160, 173.
    int shifted = c - 0x100;
    if (shifted < 0 || shifted > 67) {
      return -1;
    }
    return shifted <= 32 ? shifted : shifted <= 66 ? shifted - 33 + 127 : 173;
  }
}
