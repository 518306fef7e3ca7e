package dev.sluice.common.digest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** The standard's own example: what was named once keeps its name. */
class DigestsTest {
  private static final byte[] ABC =
      HexFormat.of().parseHex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

  @Test
  void textBytesAndPartsAreTheSame() {
    assertThat(Digests.sha256("abc")).isEqualTo(ABC);
    assertThat(Digests.sha256("abc".getBytes(StandardCharsets.US_ASCII))).isEqualTo(ABC);
    MessageDigest parts = Digests.sha256();
    parts.update((byte) 'a');
    parts.update("bc".getBytes(StandardCharsets.US_ASCII));
    assertThat(parts.digest()).isEqualTo(ABC);
  }

  @Test
  void textIsUtf8() {
    byte[] utf8 = {(byte) 0xc3, (byte) 0xa4};
    assertThat(Digests.sha256("\u00e4")).isEqualTo(Digests.sha256(utf8));
  }
}
