package dev.sluice.worker.model;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import java.util.OptionalInt;

/**
 * A byte-level byte-pair vocabulary ({@code tokenizer.ggml.model} is {@code gpt2}): words are cut
 * by a named pre-tokenizer, their bytes merged in the order of a list.
 */
final class GgufBytePairs implements GgufTokenModel {
  /** Merges of the vocabularies known are fewer than twice as many as the tokens. */
  private static final int MAX_MERGES_PER_TOKEN = 8;

  private final GgufVocabulary vocabulary;
  private final PreTokenizer preTokenizer;
  private final List<String> merges;

  GgufBytePairs(GgufVocabulary vocabulary) {
    this.vocabulary = vocabulary;
    GgufMetadata metadata = vocabulary.metadata();
    String pre = metadata.text(GgufVocabulary.PREFIX + "pre");
    this.preTokenizer =
        PreTokenizer.ofName(pre)
            .orElseThrow(() ->
                new ModelFileException(
                    "%s: pre-tokenizer '%s' is not supported (expected: %s)"
                        .formatted(
                            vocabulary.file().path(), Excerpt.of(pre), PreTokenizer.supported())));
    this.merges =
        metadata.texts(
            GgufVocabulary.PREFIX + "merges", (long) MAX_MERGES_PER_TOKEN * vocabulary.size());
    checkMerges();
  }

  /** What the tokenizer library would refuse later without naming the file. */
  private void checkMerges() {
    for (int i = 0; i < merges.size(); i++) {
      String merge = merges.get(i);
      int space = merge.indexOf(' ');
      boolean known =
          space > 0
              && vocabulary.has(merge.substring(0, space))
              && vocabulary.has(merge.substring(space + 1))
              && vocabulary.has(merge.substring(0, space) + merge.substring(space + 1));
      if (!known) {
        throw new ModelFileException(
            "%s: merge %d: '%s' (expected: two tokens, a space between them, that make a token)"
                .formatted(vocabulary.file().path(), i, Excerpt.of(merge)));
      }
    }
  }

  @Override
  public boolean addBos() {
    return preTokenizer.addBos;
  }

  @Override
  public OptionalInt defaultId(String key) {
    return OptionalInt.empty();
  }

  @Override
  public void writeNormalizer(JsonGenerator json) throws IOException {
    json.writeNull();
  }

  @Override
  public void writePreTokenizer(JsonGenerator json) throws IOException {
    preTokenizer.write(json);
  }

  @Override
  public void writeDecoder(JsonGenerator json) throws IOException {
    PreTokenizer.byteLevel(json, true);
  }

  @Override
  public void writeModel(JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("type", "BPE");
    json.writeNullField("dropout");
    json.writeNullField("unk_token");
    json.writeNullField("continuing_subword_prefix");
    json.writeNullField("end_of_word_suffix");
    json.writeBooleanField("fuse_unk", false);
    json.writeBooleanField("byte_fallback", false);
    json.writeBooleanField("ignore_merges", preTokenizer.ignoreMerges);
    vocabulary.write(json);
    json.writeArrayFieldStart("merges");
    for (String merge : merges) {
      json.writeString(merge);
    }
    json.writeEndArray();
    json.writeEndObject();
  }
}
