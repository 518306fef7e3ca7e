package dev.sluice.common.config;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A number of bytes, written as {@code 256MiB}, {@code 1.5GiB}, {@code 10MB} or {@code 4096}. */
public record ByteSize(long bytes) implements Comparable<ByteSize> {
  static final String EXPECTED = "a size such as 4096, 64KiB, 256MiB or 1.5GiB";

  private static final Pattern FORM = Pattern.compile("(\\d{1,19}(?:\\.\\d{1,9})?) ?([a-zA-Z]*)");
  private static final Map<String, Long> UNITS = units();

  public ByteSize {
    if (bytes < 0) {
      throw new IllegalArgumentException("size: " + bytes + " (expected: at least 0)");
    }
  }

  public static ByteSize ofKiB(long kib) {
    return new ByteSize(Math.multiplyExact(kib, 1L << 10));
  }

  public static ByteSize ofMiB(long mib) {
    return new ByteSize(Math.multiplyExact(mib, 1L << 20));
  }

  public static ByteSize ofGiB(long gib) {
    return new ByteSize(Math.multiplyExact(gib, 1L << 30));
  }

  /** Reads what {@link #format} writes; also decimal units and fractions that are whole bytes. */
  public static ByteSize parse(String text) {
    Matcher form = FORM.matcher(text.strip());
    if (form.matches()) {
      Long unit = UNITS.get(form.group(2).toLowerCase(Locale.ROOT));
      if (unit != null) {
        try {
          BigDecimal bytes = new BigDecimal(form.group(1)).multiply(BigDecimal.valueOf(unit));
          return new ByteSize(bytes.longValueExact());
        } catch (ArithmeticException _) {
          // too large, or part of a byte: told below
        }
      }
    }
    throw new IllegalArgumentException("\"" + text + "\" (expected: " + EXPECTED + ")");
  }

  /** The shortest exact form in binary units: {@code 256MiB}; bytes without a unit. */
  public String format() {
    String[] units = {"TiB", "GiB", "MiB", "KiB"};
    for (int i = 0; i < units.length; i++) {
      int shift = 10 * (units.length - i);
      if (bytes != 0 && bytes % (1L << shift) == 0) {
        return (bytes >> shift) + units[i];
      }
    }
    return Long.toString(bytes);
  }

  /** The value for a limit that is an {@code int} elsewhere, such as a message size. */
  public int toIntExact() {
    if (bytes > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(format() + " (expected: less than 2GiB)");
    }
    return (int) bytes;
  }

  @Override
  public int compareTo(ByteSize other) {
    return Long.compare(bytes, other.bytes);
  }

  @Override
  public String toString() {
    return format();
  }

  private static Map<String, Long> units() {
    Map<String, Long> units = new LinkedHashMap<>();
    units.put("", 1L);
    units.put("b", 1L);
    String[] prefixes = {"k", "m", "g", "t"};
    long decimal = 1;
    for (int i = 0; i < prefixes.length; i++) {
      decimal *= 1000;
      units.put(prefixes[i] + "b", decimal);
      units.put(prefixes[i] + "ib", 1L << (10 * (i + 1)));
    }
    return Map.copyOf(units);
  }
}
