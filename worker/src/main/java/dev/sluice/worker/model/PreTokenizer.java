package dev.sluice.worker.model;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * How text is cut into words before byte-pair merges: the values of {@code tokenizer.ggml.pre} that
 * are known, and their equals in a {@code tokenizer.json}.
 */
enum PreTokenizer {
  /** The words of GPT-2. */
  GPT2(false, false, "gpt-2, mpt, olmo, jais, trillion, granite-docling") {
    @Override
    void write(JsonGenerator json) throws IOException {
      byteLevel(json, true);
    }
  },

  /** Each digit stands alone, then the words of GPT-2. */
  DIGITS(false, false, "smollm, starcoder, refact, command-r, codeshell, exaone") {
    @Override
    void write(JsonGenerator json) throws IOException {
      json.writeStartObject();
      json.writeStringField("type", "Sequence");
      json.writeArrayFieldStart("pretokenizers");
      json.writeStartObject();
      json.writeStringField("type", "Digits");
      json.writeBooleanField("individual_digits", true);
      json.writeEndObject();
      byteLevel(json, true);
      json.writeEndArray();
      json.writeEndObject();
    }
  },

  /** Digits in groups of up to three; whole words are looked up before they are merged. */
  LLAMA3(true, true, "llama-bpe, llama3, llama-v3") {
    @Override
    void write(JsonGenerator json) throws IOException {
      split(json, "\\p{N}{1,3}");
    }
  },

  /** Single digits; line ends stay with the punctuation before them. */
  QWEN2(false, false, "qwen2") {
    @Override
    void write(JsonGenerator json) throws IOException {
      split(json, "\\p{N}");
    }
  };

  /** Whether a word that is a token as a whole is not merged from its bytes. */
  final boolean ignoreMerges;

  /** Whether text begins with the beginning-of-sequence token if the file does not say. */
  final boolean addBos;

  /** Values of {@code tokenizer.ggml.pre}, a comma and a space between them. */
  private final String names;

  PreTokenizer(boolean ignoreMerges, boolean addBos, String names) {
    this.ignoreMerges = ignoreMerges;
    this.addBos = addBos;
    this.names = names;
  }

  /** Writes the value of {@code pre_tokenizer}. */
  abstract void write(JsonGenerator json) throws IOException;

  static Optional<PreTokenizer> ofName(String name) {
    return Arrays.stream(values())
        .filter(pre -> List.of(pre.names.split(", ")).contains(name))
        .findFirst();
  }

  /** All names that are known, for messages. */
  static String supported() {
    return Arrays.stream(values()).map(pre -> pre.names).collect(Collectors.joining(", "));
  }

  private static void split(JsonGenerator json, String digits) throws IOException {
    json.writeStartObject();
    json.writeStringField("type", "Sequence");
    json.writeArrayFieldStart("pretokenizers");
    json.writeStartObject();
    json.writeStringField("type", "Split");
    json.writeObjectFieldStart("pattern");
    json.writeStringField(
        "Regex",
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
            + digits
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+");
    json.writeEndObject();
    json.writeStringField("behavior", "Isolated");
    json.writeBooleanField("invert", false);
    json.writeEndObject();
    byteLevel(json, false);
    json.writeEndArray();
    json.writeEndObject();
  }

  /** Bytes as printable characters, cut by GPT-2's own regular expression if asked to. */
  static void byteLevel(JsonGenerator json, boolean useRegex) throws IOException {
    json.writeStartObject();
    json.writeStringField("type", "ByteLevel");
    json.writeBooleanField("add_prefix_space", false);
    json.writeBooleanField("trim_offsets", true);
    json.writeBooleanField("use_regex", useRegex);
    json.writeEndObject();
  }
}
