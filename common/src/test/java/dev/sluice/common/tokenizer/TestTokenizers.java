package dev.sluice.common.tokenizer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;

/** Builds small tokenizers: every byte is a token, and a few joined ones split characters. */
final class TestTokenizers {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Tokens beyond the 256 bytes, as bytes in hexadecimal; some begin or end inside a character. */
  private static final List<String> JOINED =
      List.of(
          "6865",
          "6c6c",
          "68656c6c",
          "68656c6c6f", // he ll hell hello
          "2068",
          "2068656c6c6f", // " h", " hello"
          "f09f",
          "9880",
          "f09f9880", // halves of an emoji, and it
          "e282",
          "82ac",
          "c3a9c3",
          "61e2",
          "ac62", // pieces of the euro sign with neighbours
          "efbfbd",
          "efbf",
          "ed9f",
          "41f0",
          "e4bda0e5a5bd",
          "0a0a",
          "2020"); // a real U+FFFD ...

  static final String BOS = "<s>";
  static final String EOS = "</s>";
  static final String IM_START = "<|im_start|>";

  private TestTokenizers() {}

  static TokenizerBundle byteLevel(boolean addBos) {
    return bundle(byteLevelJson(), addBos);
  }

  static TokenizerBundle bundle(String json, boolean addBos) {
    return new TokenizerBundle(json, "", BOS, EOS, List.of(257), addBos);
  }

  /** Byte-level BPE, in the way of GPT-2, with special tokens 256 to 258 and a plain added one. */
  static String byteLevelJson() {
    ObjectNode root = JSON.createObjectNode().put("version", "1.0");
    root.putObject("truncation")
        .put("direction", "Right")
        .put("max_length", 4)
        .put("strategy", "LongestFirst")
        .put("stride", 0);
    root.putNull("padding");
    ArrayNode added = root.putArray("added_tokens");
    addToken(added, 256, BOS, true);
    addToken(added, 257, EOS, true);
    addToken(added, 258, IM_START, true);
    addToken(added, 259, "<tool>", false);
    root.putNull("normalizer");
    root.set("pre_tokenizer", byteLevelPart());
    // Would add <s> if the library were allowed to.
    ObjectNode post = root.putObject("post_processor").put("type", "TemplateProcessing");
    ArrayNode single = post.putArray("single");
    single.addObject().putObject("SpecialToken").put("id", BOS).put("type_id", 0);
    single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
    post.putArray("pair");
    ObjectNode special = post.putObject("special_tokens").putObject(BOS).put("id", BOS);
    special.putArray("ids").add(256);
    special.putArray("tokens").add(BOS);
    root.set("decoder", byteLevelPart());
    ObjectNode model = root.putObject("model").put("type", "BPE").put("fuse_unk", false);
    model.put("byte_fallback", false).put("ignore_merges", false);
    ObjectNode vocab = model.putObject("vocab");
    for (int b = 0; b < 256; b++) {
      vocab.put(text(new byte[] {(byte) b}), b);
    }
    for (int i = 0; i < JOINED.size(); i++) {
      vocab.put(text(HexFormat.of().parseHex(JOINED.get(i))), 260 + i);
    }
    // An added token that is not in the vocabulary would get the next free id, not the one asked
    // for.
    vocab.put(BOS, 256).put(EOS, 257).put(IM_START, 258).put("<tool>", 259);
    ArrayNode merges = model.putArray("merges");
    for (String pair : List.of("68 65", "6c 6c", "6865 6c6c", "68656c6c 6f", "f0 9f", "98 80")) {
      String[] halves = pair.split(" ", -1);
      merges.add(
          text(HexFormat.of().parseHex(halves[0]))
              + " "
              + text(HexFormat.of().parseHex(halves[1])));
    }
    return root.toString();
  }

  /** In the way of Llama 2: spaces are U+2581, unknown characters are spelt in byte tokens. */
  static String byteFallbackJson() {
    ObjectNode root = JSON.createObjectNode().put("version", "1.0");
    root.putNull("truncation").putNull("padding");
    ArrayNode added = root.putArray("added_tokens");
    addToken(added, 256, BOS, true);
    addToken(added, 257, EOS, true);
    root.putNull("normalizer").putNull("pre_tokenizer").putNull("post_processor");
    ArrayNode decoders = root.putObject("decoder").put("type", "Sequence").putArray("decoders");
    decoders
        .addObject()
        .put("type", "Replace")
        .put("content", " ")
        .putObject("pattern")
        .put("String", "\u2581");
    decoders.addObject().put("type", "ByteFallback");
    decoders.addObject().put("type", "Fuse");
    decoders.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    ObjectNode model = root.putObject("model").put("type", "BPE").put("fuse_unk", true);
    model.put("byte_fallback", true).put("unk_token", "<unk>");
    ObjectNode vocab = model.putObject("vocab");
    for (int b = 0; b < 256; b++) {
      vocab.put("<0x%02X>".formatted(b), b);
    }
    vocab.put(BOS, 256).put(EOS, 257).put("<unk>", 258);
    List<String> words = List.of("\u2581", "\u2581hello", "h", "e", "\u2581\u2581", "lo", "\u00e9");
    for (int i = 0; i < words.size(); i++) {
      vocab.put(words.get(i), 259 + i);
    }
    model.putArray("merges");
    return root.toString();
  }

  /** GPT-2's way to write bytes as printable characters. */
  static String text(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte signed : bytes) {
      int b = signed & 0xff;
      boolean printable = (b > 0x20 && b < 0x7f) || (b > 0xa0 && b != 0xad);
      text.append((char) (printable ? b : 0x100 + rankOfUnprintable(b)));
    }
    return text.toString();
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static int rankOfUnprintable(int b) {
    if (b <= 0x20) {
      return b;
    }
    return b == 0xad ? 67 : b - 0x7f + 33;
  }

  private static ObjectNode byteLevelPart() {
    return JSON.createObjectNode()
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", true);
  }

  private static void addToken(ArrayNode added, int id, String content, boolean special) {
    added
        .addObject()
        .put("id", id)
        .put("content", content)
        .put("single_word", false)
        .put("lstrip", false)
        .put("rstrip", false)
        .put("normalized", false)
        .put("special", special);
  }
}
