package dev.sluice.common.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.common.error.RefusalException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class TokenizerTest {
  private static final Tokenizer TOKENIZER = Tokenizer.load(TestTokenizers.byteLevel(false));

  @AfterAll
  static void close() {
    TOKENIZER.close();
  }

  @Test
  void textGoesToTokensAndBack() {
    for (String text :
        List.of(
            "", "hello", " hello hello!", "€ 你好 \uD83D\uDE00 naïve", "a\u0000b", " , don 't .")) {
      int[] ids = TOKENIZER.encode(text);
      assertThat(TOKENIZER.decode(ids, true)).isEqualTo(text);
    }
    assertThat(TOKENIZER.encode("hello")).containsExactly(263);
  }

  @Test
  void truncationOfTheFileIsOff() {
    String text = "hello ".repeat(20_000);
    assertThat(TOKENIZER.encode(text)).hasSize(40_000);
    assertThat(TOKENIZER.decode(TOKENIZER.encode(text), true)).isEqualTo(text);
  }

  @Test
  void specialTokensInTheTextAreRecognised() {
    int[] ids = TOKENIZER.encode("<|im_start|>hello</s><tool>");
    assertThat(ids).containsExactly(258, 263, 257, 259);
    assertThat(TOKENIZER.decode(ids, true)).isEqualTo("hello<tool>");
    assertThat(TOKENIZER.decode(ids, false)).isEqualTo("<|im_start|>hello</s><tool>");
  }

  @Test
  void beginningOfSequenceIsAddedToTextPromptsOnly() {
    assertThat(TOKENIZER.encode("hello")).containsExactly(263);
    try (Tokenizer adding = Tokenizer.load(TestTokenizers.byteLevel(true))) {
      assertThat(adding.encode("hello")).containsExactly(256, 263);
      assertThat(adding.encode("")).containsExactly(256);
      assertThat(adding.encodeRendered("<s>hello")).containsExactly(256, 263);
      assertThat(adding.encodeRendered("hello")).containsExactly(263);
    }
  }

  @Test
  void unknownTokenIdsAreRefused() {
    assertThat(TOKENIZER.vocabularySize()).isEqualTo(281);
    assertThatThrownBy(() -> TOKENIZER.decode(new int[] {5, 281}, true))
        .isInstanceOf(RefusalException.class)
        .hasMessage("token_ids[1]: 281 (expected: 0 to 280)");
    assertThatThrownBy(() -> TOKENIZER.decode(new int[] {-1}, false))
        .hasMessage("token_ids[0]: -1 (expected: 0 to 280)");
  }

  @Test
  void unpairedSurrogateDoesNotSpoilTheRest() {
    int[] ids = TOKENIZER.encode("\uD83D\uDE00 \uD83D and \uDE00\uD83D");
    assertThat(TOKENIZER.decode(ids, true)).isEqualTo("\uD83D\uDE00 \uFFFD and \uFFFD\uFFFD");
  }

  @Test
  void unusableFilesAreNamed() {
    assertThatThrownBy(() -> Tokenizer.load(TestTokenizers.bundle("{", false)))
        .isInstanceOf(TokenizerException.class)
        .hasMessageStartingWith("tokenizer.json is not valid JSON");
    assertThatThrownBy(() -> Tokenizer.load(TestTokenizers.bundle("{}", false)))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("expected: model.vocab with at least one");
    assertThatThrownBy(() -> Tokenizer.load(TestTokenizers.bundle("[]", false)))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("expected: START_OBJECT");
    assertThatThrownBy(() ->
            Tokenizer.load(
                TestTokenizers.bundle("{\"model\":{\"type\":\"X\",\"vocab\":{\"a\":0}}}", false)))
        .isInstanceOf(TokenizerException.class)
        .hasMessageStartingWith("tokenizer.json is not usable");
    String withoutBos = TestTokenizers.byteLevelJson().replace("<s>", "<x>");
    assertThatThrownBy(() -> Tokenizer.load(TestTokenizers.bundle(withoutBos, true)))
        .isInstanceOf(TokenizerException.class)
        .hasMessage("beginning-of-sequence token: '<s>' (expected: a token of tokenizer.json)");
  }

  /** The library gives an added token that the vocabulary lacks the next free id. */
  @Test
  void idsThatTheLibraryWouldChangeAreRefused() {
    String shifted = TestTokenizers.byteLevelJson().replace("\"<s>\":256,", "");
    assertThatThrownBy(() -> Tokenizer.load(TestTokenizers.bundle(shifted, false)))
        .isInstanceOf(TokenizerException.class)
        .hasMessageMatching("added token '<s>': id 256 .expected: \\d+, .*");
  }

  @Test
  void unigramVocabulariesAreCounted() {
    TokenizerIndex index =
        TokenizerIndex.read(
            """
            {"added_tokens": [{"id": 3, "content": "<s>", "special": true}],
             "model": {"type": "Unigram", "vocab": [["a", -1.5], ["b", -2], ["c", 0]]}}
            """,
            "<s>");
    assertThat(index.size()).isEqualTo(4);
    assertThat(index.isSpecial(3)).isTrue();
    assertThat(index.isSpecial(2)).isFalse();
    assertThat(index.wantedId()).hasValue(3);
  }

  @Test
  void oneInstanceServesManyThreadsAndClosesUnderThem() throws Exception {
    Tokenizer shared = Tokenizer.load(TestTokenizers.byteLevel(false));
    String text = "hello \uD83D\uDE00 ".repeat(50);
    Callable<Integer> work =
        () -> {
          int done = 0;
          try {
            while (true) {
              assertThat(shared.decode(shared.encode(text), true)).isEqualTo(text);
              if (++done == 200) {
                shared.close();
              }
            }
          } catch (IllegalStateException e) {
            assertThat(e).hasMessage("the tokenizer is closed");
            return done;
          }
        };
    try (var threads = Executors.newFixedThreadPool(4)) {
      List<Future<Integer>> results = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        results.add(threads.submit(work));
      }
      int most = 0;
      for (Future<Integer> result : results) {
        most = Math.max(most, result.get());
      }
      assertThat(most).isGreaterThanOrEqualTo(200);
    }
  }

  @Test
  void fingerprintIsTheBundles() {
    assertThat(TOKENIZER.fingerprint()).isEqualTo(TestTokenizers.byteLevel(false).fingerprint());
  }
}
