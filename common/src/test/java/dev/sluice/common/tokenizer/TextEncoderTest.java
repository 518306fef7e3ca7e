package dev.sluice.common.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class TextEncoderTest {
  private static final Tokenizer TOKENIZER = Tokenizer.load(TestTokenizers.byteLevel(true));
  private static final TextEncoder ENCODER = new TextEncoder(TOKENIZER);

  @AfterAll
  static void close() {
    TOKENIZER.close();
  }

  private static EncodedText encode(String text, boolean rendered, EncodedText... earlier) {
    EncodedText encoded =
        ENCODER.encode(
            text, rendered, earlier.length == 0 ? Optional.empty() : Optional.of(earlier[0]));
    assertThat(encoded.text()).isEqualTo(text);
    assertThat(encoded.tokens())
        .isEqualTo(rendered ? TOKENIZER.encodeRendered(text) : TOKENIZER.encode(text));
    return encoded;
  }

  @Test
  void findsWhereTextAndTokensCanBeCut() {
    EncodedText text = encode("<|im_start|>hello<tool></s><|im_start|>hell", true);
    assertThat(text.cuts()).isEqualTo(3); // <tool> is not special
    assertThat(text.cutCharacter(1)).isEqualTo(23);
    assertThat(text.cutToken(1)).isEqualTo(3);
    assertThat(text.cutToken(2)).isEqualTo(4);
    assertThat(text.lastCut(22)).isZero();
    assertThat(text.lastCut(23)).isEqualTo(1);
    assertThat(encode("hello", true).cuts()).isZero();
    EncodedText prompt = encode("hello</s>", false);
    assertThat(prompt.cutToken(0)).isEqualTo(2); // behind <s>, which is not in the text
  }

  @Test
  void goesOnFromAnEarlierText() {
    EncodedText turn = encode("<|im_start|>hello</s><|im_start|>he", true);
    EncodedText next = encode("<|im_start|>hello</s><|im_start|>hello</s><|im_start|>", true, turn);
    assertThat(next.cuts()).isEqualTo(5);
    encode("<|im_start|>hello</s><|im_start|>hello</s><|im_start|>hello", true, next);
    encode("<|im_start|>other", true, next);
    encode("", true, next);
    encode("hello</s>hello", false, encode("hello</s>", false));
  }

  /** Whatever the texts have in common, the tokens are those of the whole text. */
  @Test
  void tokensAreThoseOfTheWholeText() {
    Random random = new Random(11);
    List<String> pieces =
        List.of(
            "hello",
            " ",
            "  ",
            "\n\n",
            "h",
            "ell",
            "<",
            "|",
            "<|im_",
            "<|im_start|>",
            "</s>",
            "<s>",
            "<tool>",
            "€",
            "\uD83D\uDE00",
            "\uD83D",
            "start|>",
            "s>",
            "é");
    for (boolean rendered : new boolean[] {true, false}) {
      EncodedText earlier = encode("", rendered);
      for (int round = 0; round < 3_000; round++) {
        StringBuilder text = new StringBuilder();
        if (random.nextInt(4) > 0) {
          text.append(earlier.text(), 0, random.nextInt(earlier.text().length() + 1));
        }
        for (int i = random.nextInt(8); i > 0; i--) {
          text.append(pieces.get(random.nextInt(pieces.size())));
        }
        earlier = encode(text.length() > 400 ? "" : text.toString(), rendered, earlier);
      }
    }
  }
}
