package dev.sluice.worker.model;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.OptionalInt;

/** How one kind of vocabulary cuts text: its parts of a {@code tokenizer.json}. */
sealed interface GgufTokenModel permits GgufBytePairs, GgufSentencePieces {
  /** Whether text begins with the beginning-of-sequence token if the file does not say. */
  boolean addBos();

  /**
   * The id of a special token if the file does not say.
   *
   * @param key such as {@code bos_token_id}
   */
  OptionalInt defaultId(String key);

  /** Writes the value of {@code normalizer}. */
  void writeNormalizer(JsonGenerator json) throws IOException;

  /** Writes the value of {@code pre_tokenizer}. */
  void writePreTokenizer(JsonGenerator json) throws IOException;

  /** Writes the value of {@code decoder}. */
  void writeDecoder(JsonGenerator json) throws IOException;

  /** Writes the value of {@code model}. */
  void writeModel(JsonGenerator json) throws IOException;
}
