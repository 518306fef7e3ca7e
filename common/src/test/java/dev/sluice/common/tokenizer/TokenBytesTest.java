package dev.sluice.common.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TokenBytesTest {
  private static final String SENTENCE_PIECES =
      """
      {"version":"1.0","added_tokens":[
        {"id":0,"content":"<unk>","special":true,"single_word":false,"lstrip":false,
         "rstrip":false,"normalized":false},
        {"id":9,"content":"<tool>","special":false,"single_word":false,"lstrip":false,
         "rstrip":false,"normalized":false}],
       "decoder":{"type":"Sequence","decoders":[
        {"type":"Replace","pattern":{"String":"\u2581"},"content":" "},
        {"type":"ByteFallback"},{"type":"Fuse"},
        {"type":"Strip","content":" ","start":1,"stop":0}]},
       "model":{"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,"vocab":{
        "<unk>":0,"\u2581hi":1,"<0xE2>":2,"<0x82>":3,"<0xAC>":4,"\u2581":5,"h":6,"i":7,
        "\u2581h":8},"merges":[["\u2581","h"],["\u2581h","i"]]}}
      """;

  /** The bytes of the tokens of a text, one after the other, are the text. */
  @Test
  void bytesAreTheTextThatTokensStandFor() {
    TokenizerBundle bundle = TestTokenizers.byteLevel(false);
    TokenBytes bytes = TokenBytes.read(bundle);
    assertThat(bytes.stripsFirstSpace()).isFalse();
    try (Tokenizer tokenizer = Tokenizer.load(bundle)) {
      assertThat(bytes.size()).isEqualTo(tokenizer.vocabularySize());
      for (String text :
          new String[] {" hello \u20AC\u4F60\u597D\n", "a\u0000b", "na\u00EFve <tool>"}) {
        assertThat(text(bytes, tokenizer.encode(text))).isEqualTo(text);
      }
      assertThat(text(bytes, tokenizer.encode("<s>hello</s>"))).isEqualTo("hello");
    }
  }

  @Test
  void bytesOfSentencePieces() {
    TokenizerBundle bundle = TestTokenizers.bundle(SENTENCE_PIECES, false);
    TokenBytes bytes = TokenBytes.read(bundle);
    assertThat(bytes.stripsFirstSpace()).isTrue();
    assertThat(bytes.of(0)).isEmpty();
    int[] tokens = {1, 5, 2, 3, 4, 7, 9, 1};
    assertThat(text(bytes, tokens)).isEqualTo(" hi \u20ACi<tool> hi");
    try (Tokenizer tokenizer = Tokenizer.load(bundle)) {
      assertThat(tokenizer.decode(tokens, true)).isEqualTo("hi \u20ACi<tool> hi");
    }
  }

  @Test
  void otherDecodersAreRefused() {
    TokenizerBundle bundle =
        TestTokenizers.bundle(SENTENCE_PIECES.replace("\"ByteFallback\"", "\"WordPiece\""), false);
    assertThatThrownBy(() -> TokenBytes.read(bundle))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("WordPiece");
  }

  private static String text(TokenBytes bytes, int[] tokens) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    for (int token : tokens) {
      text.writeBytes(bytes.of(token));
    }
    return text.toString(StandardCharsets.UTF_8);
  }
}
