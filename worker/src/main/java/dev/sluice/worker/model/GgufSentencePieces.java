package dev.sluice.worker.model;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;

/**
 * A SentencePiece vocabulary ({@code tokenizer.ggml.model} is {@code llama}). Spaces are written
 * {@code ▁}; of all neighbours that make a token together, those whose token has the highest score
 * are joined first, the leftmost of several; characters that are no token become bytes.
 *
 * <p>That is byte-pair encoding with a merge for each way in which a token can be put together from
 * two, ordered by the scores.
 */
final class GgufSentencePieces implements GgufTokenModel {
  private static final String SPACE = "\u2581";

  /**
   * Characters of a token that is put together. SentencePiece makes tokens of 16 unless told
   * otherwise; the work grows with the square.
   */
  private static final int MAX_TOKEN_CHARS = 128;

  /** A way to make a token. */
  private record Merge(String left, String right, int token) {}

  private final GgufVocabulary vocabulary;
  private final float[] scores;
  private final boolean spacePrefix;

  GgufSentencePieces(GgufVocabulary vocabulary) {
    this.vocabulary = vocabulary;
    GgufMetadata metadata = vocabulary.metadata();
    this.scores = metadata.floats(GgufVocabulary.PREFIX + "scores", vocabulary.size());
    this.spacePrefix = metadata.flag(GgufVocabulary.PREFIX + "add_space_prefix", true);
    for (int id = 0; id < scores.length; id++) {
      if (Float.isNaN(scores[id])) {
        throw new ModelFileException(
            "%s: score of token %d: NaN (expected: a number)"
                .formatted(vocabulary.file().path(), id));
      }
      if (!vocabulary.isAdded(id) && vocabulary.token(id).length() > MAX_TOKEN_CHARS) {
        throw new ModelFileException(
            "%s: token %d: %d characters (expected: at most %d)"
                .formatted(
                    vocabulary.file().path(), id, vocabulary.token(id).length(), MAX_TOKEN_CHARS));
      }
    }
  }

  @Override
  public boolean addBos() {
    return true;
  }

  @Override
  public OptionalInt defaultId(String key) {
    return switch (key) {
      case "unknown_token_id" -> OptionalInt.of(0);
      case "bos_token_id" -> OptionalInt.of(1);
      case "eos_token_id" -> OptionalInt.of(2);
      default -> OptionalInt.empty();
    };
  }

  @Override
  public void writeNormalizer(JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("type", "Sequence");
    json.writeArrayFieldStart("normalizers");
    if (spacePrefix) {
      json.writeStartObject();
      json.writeStringField("type", "Prepend");
      json.writeStringField("prepend", SPACE);
      json.writeEndObject();
    }
    writeReplace(json, " ", SPACE);
    json.writeEndArray();
    json.writeEndObject();
  }

  @Override
  public void writePreTokenizer(JsonGenerator json) throws IOException {
    json.writeNull();
  }

  @Override
  public void writeDecoder(JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("type", "Sequence");
    json.writeArrayFieldStart("decoders");
    writeReplace(json, SPACE, " ");
    writeType(json, "ByteFallback");
    writeType(json, "Fuse");
    if (spacePrefix) {
      json.writeStartObject();
      json.writeStringField("type", "Strip");
      json.writeStringField("content", " ");
      json.writeNumberField("start", 1);
      json.writeNumberField("stop", 0);
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void writeType(JsonGenerator json, String type) throws IOException {
    json.writeStartObject();
    json.writeStringField("type", type);
    json.writeEndObject();
  }

  private static void writeReplace(JsonGenerator json, String pattern, String content)
      throws IOException {
    json.writeStartObject();
    json.writeStringField("type", "Replace");
    json.writeObjectFieldStart("pattern");
    json.writeStringField("String", pattern);
    json.writeEndObject();
    json.writeStringField("content", content);
    json.writeEndObject();
  }

  @Override
  public void writeModel(JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("type", "BPE");
    json.writeNullField("dropout");
    json.writeStringField("unk_token", vocabulary.specialToken("unknown_token_id", this));
    json.writeNullField("continuing_subword_prefix");
    json.writeNullField("end_of_word_suffix");
    json.writeBooleanField("fuse_unk", true);
    json.writeBooleanField("byte_fallback", true);
    json.writeBooleanField("ignore_merges", false);
    vocabulary.write(json);
    json.writeArrayFieldStart("merges");
    for (Merge merge : merges()) {
      json.writeStartArray();
      json.writeString(merge.left);
      json.writeString(merge.right);
      json.writeEndArray();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private List<Merge> merges() {
    List<Merge> merges = new ArrayList<>();
    for (int id = 0; id < vocabulary.size(); id++) {
      String token = vocabulary.token(id);
      int most = Math.min(token.length(), MAX_TOKEN_CHARS + 1);
      for (int cut = 1; cut < most; cut++) {
        if (Character.isLowSurrogate(token.charAt(cut))) {
          continue;
        }
        String left = token.substring(0, cut);
        String right = token.substring(cut);
        if (vocabulary.has(left) && vocabulary.has(right)) {
          merges.add(new Merge(left, right, id));
        }
      }
    }
    merges.sort(Comparator.comparingDouble(merge -> -scores[merge.token]));
    return merges;
  }
}
