package dev.sluice.router.proxy;

import dev.sluice.v1.GenerateResponse;

/**
 * Reads what the router must know of a passing {@code GenerateResponse} (which event, which
 * sequence number) without parsing it. One instance per stream, reused for every message: allocates
 * nothing.
 *
 * <pre>
 *   message = { tag value }*      tag = varint (field << 3 | wire type)
 *   wire type 0: varint, 1: 8 bytes, 2: varint length + bytes, 5: 4 bytes
 * </pre>
 *
 * <p>Threading: the listener of one worker call.
 */
final class EventScan {
  /** No event: the message is malformed, or of a kind that this router does not know. */
  static final int NONE = 0;

  static final int STARTED = GenerateResponse.STARTED_FIELD_NUMBER;
  static final int DELTA = GenerateResponse.DELTA_FIELD_NUMBER;
  static final int CHOICE_FINISHED = GenerateResponse.CHOICE_FINISHED_FIELD_NUMBER;
  static final int FINISHED = GenerateResponse.FINISHED_FIELD_NUMBER;

  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int LENGTH_DELIMITED = 2;
  private static final int FIXED32 = 5;
  private static final int MAX_VARINT_BYTES = 10;

  private byte[] bytes = new byte[0];
  private int position;
  private long sequence;
  private int event;

  /** Sequence number of the message read last. */
  long sequence() {
    return sequence;
  }

  /** Field number of its event, or {@link #NONE}. */
  int event() {
    return event;
  }

  /** Looks at one message. False if it is not a well-formed protobuf message. */
  boolean read(byte[] message) {
    bytes = message;
    position = 0;
    sequence = 0;
    event = NONE;
    while (position < message.length) {
      long tag = varint();
      int field = (int) (tag >>> 3);
      switch ((int) tag & 7) {
        case VARINT -> {
          long value = varint();
          if (field == GenerateResponse.SEQUENCE_FIELD_NUMBER) {
            sequence = value;
          }
        }
        case FIXED64 -> skip(Long.BYTES);
        case LENGTH_DELIMITED -> {
          skip(varint());
          if (field >= STARTED && field <= FINISHED) {
            event = field;
          }
        }
        case FIXED32 -> skip(Integer.BYTES);
        default -> position = -1; // groups are not part of proto3
      }
      if (position < 0) {
        event = NONE;
        return false;
      }
    }
    return true;
  }

  /** The next varint; position becomes -1 if there is none. */
  private long varint() {
    long value = 0;
    for (int i = 0; i < MAX_VARINT_BYTES && position >= 0 && position < bytes.length; i++) {
      byte b = bytes[position++];
      value |= (b & 0x7fL) << (7 * i);
      if (b >= 0) {
        return value;
      }
    }
    position = -1;
    return 0;
  }

  private void skip(long length) {
    position =
        position < 0 || length < 0 || length > bytes.length - position
            ? -1
            : position + (int) length;
  }
}
