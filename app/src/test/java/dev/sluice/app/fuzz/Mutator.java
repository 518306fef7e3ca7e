package dev.sluice.app.fuzz;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Makes inputs that are nearly right, out of right ones, from a fixed seed. */
public final class Mutator {
  private static final int MOST_BYTES = 1 << 16;
  private static final int MOST_CHANGES = 6;

  /** What breaks parsers of any language. */
  private static final List<String> COMMON =
      List.of(
          "0",
          "-1",
          "1e308",
          "1e999",
          "2147483648",
          "9223372036854775808",
          "0.5",
          "null",
          "true",
          "\"\"",
          "{}",
          "[]",
          "\\u0000",
          "\\ud800",
          "\u0000",
          "\r\n",
          "\n",
          "%",
          "\uffff",
          "\ud83d\ude00",
          "9".repeat(400),
          "[".repeat(300),
          "(".repeat(300),
          "{\"a\":".repeat(100),
          "x".repeat(3000));

  private final SplittableRandom random;
  private final List<byte[]> seeds;
  private final List<String> dictionary;

  /**
   * @param seeds right inputs
   * @param dictionary words of the language
   */
  public Mutator(long seed, List<byte[]> seeds, List<String> dictionary) {
    this.random = new SplittableRandom(seed);
    this.seeds = seeds;
    this.dictionary = dictionary;
  }

  /** The next input. */
  public byte[] next() {
    byte[] input = seeds.get(random.nextInt(seeds.size())).clone();
    for (int i = 1 + random.nextInt(1 + random.nextInt(MOST_CHANGES)); i > 0; i--) {
      input = changed(input);
    }
    return input.length <= MOST_BYTES ? input : Arrays.copyOf(input, MOST_BYTES);
  }

  private byte[] changed(byte[] input) {
    int from = random.nextInt(input.length + 1);
    int to = Math.min(input.length, from + random.nextInt(1, 24));
    return switch (random.nextInt(8)) {
      case 0 -> flipped(input);
      case 1 -> replaced(input, from, from, word());
      case 2 -> replaced(input, from, to, word());
      case 3 -> replaced(input, from, to, new byte[0]);
      case 4 -> { // nests or repeats
        byte[] part = Arrays.copyOfRange(input, from, to);
        yield replaced(input, from, from, times(part, 1 << random.nextInt(9)));
      }
      case 5 -> { // a part of another input
        byte[] other = seeds.get(random.nextInt(seeds.size()));
        int start = random.nextInt(other.length + 1);
        int end = Math.min(other.length, start + random.nextInt(1, 60));
        yield replaced(input, from, to, Arrays.copyOfRange(other, start, end));
      }
      case 6 -> { // a part of itself, moved
        byte[] part = Arrays.copyOfRange(input, from, to);
        int at = random.nextInt(input.length + 1);
        yield replaced(input, at, at, part);
      }
      default -> random.nextInt(4) == 0 ? Arrays.copyOf(input, from) : flipped(input);
    };
  }

  private byte[] flipped(byte[] input) {
    if (input.length > 0) {
      int at = random.nextInt(input.length);
      input[at] =
          random.nextBoolean()
              ? (byte) (input[at] ^ (1 << random.nextInt(8)))
              : (byte) random.nextInt(256);
    }
    return input;
  }

  private byte[] word() {
    List<String> words = random.nextInt(3) == 0 ? COMMON : dictionary;
    return words.get(random.nextInt(words.size())).getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] times(byte[] part, int count) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (int i = 0; i < count && all.size() < MOST_BYTES; i++) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private static byte[] replaced(byte[] input, int from, int to, byte[] with) {
    ByteArrayOutputStream all = new ByteArrayOutputStream(input.length + with.length);
    all.write(input, 0, from);
    all.writeBytes(with);
    all.write(input, to, input.length - to);
    return all.toByteArray();
  }
}
