package dev.sluice.common.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class TextStreamProperties {
  private static final Tokenizer BYTES = Tokenizer.load(TestTokenizers.byteLevel(false));
  private static final Tokenizer FALLBACK =
      Tokenizer.load(TestTokenizers.bundle(TestTokenizers.byteFallbackJson(), false));

  @Property(tries = 400, seed = "1")
  void partsMakeTheWhole(@ForAll @Size(max = 120) List<@IntRange(max = 280) Integer> ids) {
    assertPartsMakeTheWhole(BYTES, toArray(ids));
  }

  /** Few ids, so that halves of characters often meet. */
  @Property(tries = 400, seed = "2")
  void partsMakeTheWholeAmongHalves(
      @ForAll @Size(max = 120) List<@IntRange(min = 264, max = 280) Integer> ids) {
    assertPartsMakeTheWhole(BYTES, toArray(ids));
  }

  @Property(tries = 200, seed = "3")
  void partsMakeTheWholeOfGarbage(
      @ForAll @Size(max = 200) List<@IntRange(min = 0x80, max = 0xff) Integer> ids) {
    assertPartsMakeTheWhole(BYTES, toArray(ids));
  }

  @Property(tries = 300, seed = "4")
  void textComesBackByByteTokens(@ForAll String text) {
    String valid = Surrogates.repair(text);
    byte[] bytes = TestTokenizers.utf8(valid);
    int[] ids = new int[bytes.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = bytes[i] & 0xff;
    }
    assertThat(String.join("", parts(BYTES, ids))).isEqualTo(valid);
    // One leading space is the decoder's to strip.
    String stripped = valid.startsWith(" ") ? valid.substring(1) : valid;
    assertThat(String.join("", parts(FALLBACK, ids))).isEqualTo(stripped);
  }

  /** Words and complete characters: what a model with byte fallback really writes. */
  @Property(tries = 300, seed = "5")
  void spacesSurviveByteFallback(
      @ForAll @Size(max = 80) List<@IntRange(min = 250, max = 265) Integer> pieces) {
    List<Integer> ids = new ArrayList<>();
    for (int piece : pieces) {
      if (piece >= 256 && piece != 258) {
        ids.add(piece);
      } else {
        for (byte b : TestTokenizers.utf8(piece % 2 == 0 ? "\uD83D\uDE00" : "€")) {
          ids.add(b & 0xff);
        }
      }
    }
    assertPartsMakeTheWhole(FALLBACK, toArray(ids));
  }

  @Property(tries = 300, seed = "6")
  void garbageOfByteFallbackEndsWithoutHalves(
      @ForAll @Size(max = 150) List<@IntRange(max = 265) Integer> ids) {
    for (String part : parts(FALLBACK, toArray(ids))) {
      assertThat(Surrogates.repair(part)).isEqualTo(part);
    }
  }

  @Test
  void charactersComeWholeAndAtOnce() {
    TextStream stream = BYTES.textStream();
    List<String> parts = new ArrayList<>();
    for (int id : new int[] {263, 256, 0xf0, 0x9f, 0x98, 0x80, 'a', 269, 0xac, 259}) {
      parts.add(stream.append(id));
    }
    assertThat(parts)
        .containsExactly("hello", "", "", "", "", "\uD83D\uDE00", "a", "", "€", "<tool>");
  }

  @Test
  void realReplacementCharacterComesThrough() {
    TextStream stream = BYTES.textStream();
    assertThat(stream.append(274)).isEmpty();
    assertThat(stream.append('x')).isEqualTo("\uFFFDx");
    assertThat(stream.append(274)).isEmpty();
    assertThat(stream.flush()).isEqualTo("\uFFFD");
    assertThat(stream.flush()).isEmpty();
    assertThatThrownBy(() -> stream.append('x')).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void unfinishedCharacterIsGivenOutAtTheEnd() {
    TextStream stream = BYTES.textStream();
    assertThat(stream.append('a')).isEqualTo("a");
    assertThat(stream.append(0xe2)).isEmpty();
    assertThat(stream.append(0x82)).isEmpty();
    assertThat(stream.flush()).isEqualTo("\uFFFD");
  }

  @Test
  void nothingIsHeldForEver() {
    TextStream stream = BYTES.textStream();
    int given = 0;
    for (int i = 1; i <= 10_000; i++) {
      given += stream.append(0x80).length();
      assertThat(i - given).isLessThanOrEqualTo(3);
    }
    TextStream fallback = FALLBACK.textStream();
    given = 0;
    for (int i = 1; i <= 2_000; i++) {
      given += fallback.append(i % 7 == 1 ? 'a' : 0x80).length();
      assertThat(i - given).isLessThanOrEqualTo(12);
    }
  }

  @Test
  void unknownTokenIsRefusedAndTheStreamGoesOn() {
    TextStream stream = BYTES.textStream();
    assertThat(stream.append('a')).isEqualTo("a");
    assertThatThrownBy(() -> stream.append(281)).hasMessageContaining("expected: 0 to 280");
    assertThat(stream.append('b')).isEqualTo("b");
  }

  /** The window stays small: a hundred thousand tokens do not take quadratic time. */
  @Test
  void longTextsTakeLinearTime() {
    Random random = new Random(7);
    int[] ids = random.ints(100_000, 0, 281).toArray();
    assertPartsMakeTheWhole(BYTES, ids);
  }

  private static void assertPartsMakeTheWhole(Tokenizer tokenizer, int[] ids) {
    List<String> parts = parts(tokenizer, ids);
    for (String part : parts) {
      assertThat(Surrogates.repair(part)).isEqualTo(part);
    }
    assertThat(String.join("", parts)).isEqualTo(tokenizer.decode(ids, true));
  }

  private static List<String> parts(Tokenizer tokenizer, int[] ids) {
    TextStream stream = tokenizer.textStream();
    List<String> parts = new ArrayList<>();
    for (int id : ids) {
      parts.add(stream.append(id));
    }
    parts.add(stream.flush());
    return parts;
  }

  private static int[] toArray(List<Integer> ids) {
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }
}
