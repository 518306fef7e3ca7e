package dev.sluice.worker.model;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Spoils files in the ways that transfers, disks and enemies do, from a fixed seed. */
final class Damage {
  /** What breaks readers that trust lengths, as 64-bit numbers. */
  private static final long[] NUMBERS = {
    0,
    1,
    -1,
    127,
    128,
    255,
    256,
    65_535,
    1L << 31,
    -1L << 31,
    (1L << 31) - 1,
    1L << 32,
    1L << 40,
    1L << 61,
    1L << 62,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };

  /** What breaks readers of JSON. */
  private static final List<String> TEXTS =
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
          "\"x\"",
          "{}",
          "[]",
          "[[[[[[[[",
          "{\"a\":",
          "\\u0000",
          "\\ud800",
          "\"",
          ",",
          "}",
          "]",
          "\u0000",
          "9".repeat(1200),
          "[".repeat(2000),
          "\"" + "a".repeat(3000) + "\"");

  private final SplittableRandom random;

  Damage(long seed) {
    this.random = new SplittableRandom(seed);
  }

  /** A damaged copy of a binary file whose first bytes are the ones that matter most. */
  byte[] binary(byte[] sound, int headerBytes) {
    byte[] content = sound.clone();
    for (int i = random.nextInt(1, 4); i > 0; i--) {
      int at = random.nextInt(Math.min(headerBytes, content.length));
      switch (random.nextInt(6)) {
        case 0 -> content[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> content[at] = (byte) random.nextInt(256);
        case 2, 3 -> {
          byte[] number = GgufWriter.int64(NUMBERS[random.nextInt(NUMBERS.length)]);
          int bytes = Math.min(random.nextBoolean() ? 4 : 8, content.length - at);
          System.arraycopy(number, 0, content, at, bytes);
        }
        case 4 -> content = moved(content, at);
        default -> content = Arrays.copyOf(content, 1 + random.nextInt(content.length));
      }
    }
    return content;
  }

  /** A damaged copy of a text. */
  byte[] text(String sound) {
    byte[] content = sound.getBytes(StandardCharsets.UTF_8);
    for (int i = random.nextInt(1, 4); i > 0; i--) {
      int at = random.nextInt(content.length);
      switch (random.nextInt(5)) {
        case 0 -> content[at] ^= (byte) (1 << random.nextInt(8));
        case 1, 2 -> {
          byte[] text = TEXTS.get(random.nextInt(TEXTS.size())).getBytes(StandardCharsets.UTF_8);
          content = replaced(content, at, valueEnd(content, at), text);
        }
        case 3 -> content = moved(content, at);
        default -> content = Arrays.copyOf(content, 1 + random.nextInt(content.length));
      }
    }
    return content;
  }

  /** Where the value that is around a place ends. */
  private static int valueEnd(byte[] content, int at) {
    int end = at;
    while (end < content.length && ",}]".indexOf(content[end]) < 0) {
      end++;
    }
    return end;
  }

  /** With some bytes from another place put in here, or taken out. */
  private byte[] moved(byte[] content, int at) {
    int from = random.nextInt(content.length);
    int to = Math.min(content.length, from + random.nextInt(1, 40));
    return random.nextBoolean()
        ? replaced(content, at, at, Arrays.copyOfRange(content, from, to))
        : replaced(content, from, to, new byte[0]);
  }

  private static byte[] replaced(byte[] content, int from, int to, byte[] with) {
    if (content.length - (to - from) + with.length == 0) {
      return new byte[1];
    }
    return GgufWriter.join(
        Arrays.copyOf(content, from),
        with,
        Arrays.copyOfRange(content, Math.min(to, content.length), content.length));
  }
}
