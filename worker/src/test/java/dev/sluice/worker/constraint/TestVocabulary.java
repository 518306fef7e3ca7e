package dev.sluice.worker.constraint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.common.tokenizer.TokenizerBundle;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/** A small byte-level vocabulary: token n is byte n, then joined ones, then the end of sequence. */
final class TestVocabulary {
  private static final List<String> JOINED =
      List.of(
          "\":",
          "\": ",
          "\",",
          "{\"",
          "[\"",
          "},",
          "]}",
          "\"}",
          ", ",
          ": ",
          "  ",
          "\n",
          "\n  ",
          "name",
          "value",
          "true",
          "null",
          "false",
          "12",
          "123",
          "the",
          "e\u0301",
          "\u20AC",
          "\u4F60\u597D",
          "a\u20AC",
          "0.",
          "-1",
          "\\\"",
          "\\n",
          "\\u00",
          "ab",
          "abc",
          "bc",
          "aa",
          " ".repeat(40));

  static final List<byte[]> TOKENS = tokens();
  static final int EOS = TOKENS.size();
  static final Vocabulary VOCABULARY = Vocabulary.read(bundle());

  private TestVocabulary() {}

  private static List<byte[]> tokens() {
    List<byte[]> tokens = new ArrayList<>();
    for (int b = 0; b < 256; b++) {
      tokens.add(new byte[] {(byte) b});
    }
    Set<String> seen = new LinkedHashSet<>(JOINED);
    seen.stream()
        .map(text -> text.getBytes(StandardCharsets.UTF_8))
        .filter(bytes -> bytes.length > 1)
        .forEach(tokens::add);
    tokens.add(new byte[] {(byte) 0xE2, (byte) 0x82}); // the beginning of a character
    tokens.add(new byte[] {(byte) 0xAC, 'b'}); // an end, and one more
    return tokens;
  }

  private static TokenizerBundle bundle() {
    ObjectNode root = new ObjectMapper().createObjectNode();
    ObjectNode vocabulary = root.putObject("model").put("type", "BPE").putObject("vocab");
    for (int id = 0; id < TOKENS.size(); id++) {
      StringBuilder text = new StringBuilder();
      for (byte octet : TOKENS.get(id)) {
        text.append(letter(octet & 0xFF));
      }
      vocabulary.put(text.toString(), id);
    }
    vocabulary.put("</s>", EOS);
    root.putArray("added_tokens")
        .addObject()
        .put("id", EOS)
        .put("content", "</s>")
        .put("special", true);
    root.putObject("decoder").put("type", "ByteLevel");
    return new TokenizerBundle(root.toString(), "", "", "</s>", List.of(EOS), false);
  }

  /** The character of GPT-2's alphabet. */
  private static char letter(int octet) {
    int shifted = 256;
    for (int b = 0; b <= octet; b++) {
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      if (b == octet) {
        return (char) (printable ? b : shifted);
      }
      shifted += printable ? 0 : 1;
    }
    throw new IllegalArgumentException("octet: " + octet);
  }

  static Constraint compile(ConstraintSource source) {
    return new ConstraintCompiler(VOCABULARY, CompileLimits.defaults())
        .compile(source, () -> false);
  }

  /** A random output that conforms, or as much of it as so many tokens are. */
  static Output generate(Constraint constraint, RandomGenerator random, int maxTokens) {
    ConstraintState state = constraint.start();
    Output output = new Output();
    while (output.tokens.size() < maxTokens && !state.isDone()) {
      List<Integer> allowed = allowed(state);
      if (allowed.isEmpty() || (state.isAccepting() && random.nextInt(4) == 0)) {
        break;
      }
      int token = allowed.get(random.nextInt(allowed.size()));
      state.accept(token);
      output.tokens.add(token);
    }
    output.accepted = state.isAccepting();
    return output;
  }

  /** So much of a source as a message can bear. */
  static String shown(ConstraintSource source) {
    return SchemaTree.excerpt(source.toString());
  }

  static List<Integer> allowed(ConstraintState state) {
    List<Integer> allowed = new ArrayList<>();
    long[] mask = state.allowed();
    for (int token = 0; token < mask.length * Long.SIZE; token++) {
      if ((mask[token / Long.SIZE] >>> token & 1) != 0) {
        allowed.add(token);
      }
    }
    return allowed;
  }

  static byte[] bytes(List<Integer> tokens) {
    int length = tokens.stream().mapToInt(token -> TOKENS.get(token).length).sum();
    byte[] bytes = new byte[length];
    int at = 0;
    for (int token : tokens) {
      byte[] part = TOKENS.get(token);
      System.arraycopy(part, 0, bytes, at, part.length);
      at += part.length;
    }
    return bytes;
  }

  /** What was generated. */
  static final class Output {
    final List<Integer> tokens = new ArrayList<>();
    boolean accepted;

    String text() {
      return new String(bytes(tokens), StandardCharsets.UTF_8);
    }
  }

  /** Whether a whole text is accepted, whatever tokens it is cut into. */
  static boolean accepts(Constraint constraint, String text) {
    ConstraintState state = constraint.start();
    for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
      int token = octet & 0xFF;
      if (!state.allows(token)) {
        return false;
      }
      state.accept(token);
    }
    return state.isAccepting();
  }
}
