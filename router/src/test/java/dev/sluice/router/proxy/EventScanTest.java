package dev.sluice.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.router.testing.Answers;
import dev.sluice.v1.Delta;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** The scan sees what a full parse sees. */
class EventScanTest {
  private final EventScan scan = new EventScan();

  @Test
  void seesSequenceAndEventOfEveryMessage() {
    for (GenerateResponse message :
        Answers.stream("w", GenerateRequest.getDefaultInstance(), 300)) {
      assertThat(scan.read(message.toByteArray())).isTrue();
      assertThat(scan.sequence()).isEqualTo(message.getSequence());
      assertThat(scan.event()).isEqualTo(message.getEventCase().getNumber());
    }
  }

  @Test
  void skipsFieldsItDoesNotKnow() {
    // field 1500: varint, 1501: fixed64, 1502: bytes, 1503: fixed32; then the message
    byte[] unknown = {
      (byte) 0xe0,
      0x5d,
      1,
      (byte) 0xe9,
      0x5d,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      (byte) 0xf2,
      0x5d,
      2,
      9,
      9,
      (byte) 0xfd,
      0x5d,
      0,
      0,
      0,
      0
    };
    byte[] message = Answers.delta(7, "x").toByteArray();
    byte[] both = Arrays.copyOf(unknown, unknown.length + message.length);
    System.arraycopy(message, 0, both, unknown.length, message.length);
    assertThat(scan.read(both)).isTrue();
    assertThat(scan.sequence()).isEqualTo(7);
    assertThat(scan.event()).isEqualTo(EventScan.DELTA);
  }

  @Test
  void seesThatAMessageIsCutShort() {
    byte[] message = Answers.delta(7, "text").toByteArray();
    for (int length = 1; length < message.length; length++) {
      if (length == 2) {
        continue; // the sequence alone is a whole message, without an event
      }
      assertThat(scan.read(Arrays.copyOf(message, length))).isFalse();
      assertThat(scan.event()).isEqualTo(EventScan.NONE);
    }
    assertThat(scan.read(Arrays.copyOf(message, 2))).isTrue();
    assertThat(scan.event()).isEqualTo(EventScan.NONE);
  }

  @Property(tries = 2_000)
  void readsAnySequence(@ForAll long sequence, @ForAll String text) {
    byte[] message =
        GenerateResponse.newBuilder()
            .setSequence(sequence)
            .setDelta(Delta.newBuilder().setText(text))
            .build()
            .toByteArray();
    assertThat(scan.read(message)).isTrue();
    assertThat(scan.sequence()).isEqualTo(sequence);
    assertThat(scan.event()).isEqualTo(EventScan.DELTA);
  }

  @Property(tries = 5_000)
  void survivesAnyBytes(@ForAll @Size(max = 40) byte[] bytes) {
    scan.read(bytes); // neither throws nor hangs
  }
}
