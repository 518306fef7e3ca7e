package dev.sluice.worker.constraint;

/**
 * Bytes in at most 64 groups, such as patterns tell apart: digits, small letters, capital letters,
 * bytes beyond ASCII, control characters; all others alone.
 */
final class ByteGroups {
  static final int COUNT = 64;

  private static final byte[] GROUPS = groups(); // [256]

  private ByteGroups() {}

  private static byte[] groups() {
    byte[] groups = new byte[256];
    byte next = 5;
    for (int octet = 0; octet < 256; octet++) {
      if (octet >= '0' && octet <= '9') {
        groups[octet] = 0;
      } else if (octet >= 'a' && octet <= 'z') {
        groups[octet] = 1;
      } else if (octet >= 'A' && octet <= 'Z') {
        groups[octet] = 2;
      } else if (octet >= 0x80) {
        groups[octet] = 3;
      } else if (octet < ' ' && octet != '\n' && octet != '\t' && octet != '\r') {
        groups[octet] = 4;
      } else {
        groups[octet] = next++;
      }
    }
    return groups;
  }

  /** The group of a byte, below {@link #COUNT}. */
  static int of(byte octet) {
    return GROUPS[octet & 0xFF];
  }
}
