package dev.sluice.router.proxy;

import dev.sluice.v1.Delta;
import dev.sluice.v1.GenerateResponse;
import java.util.Arrays;

/**
 * Reads what the router must know of a passing {@code GenerateResponse} without parsing it: which
 * event, which sequence number, and of a {@code Delta} its choice, its token ids and how much text
 * it has. One instance per stream, reused for every message: allocates nothing once its token
 * buffer is as large as the largest delta.
 *
 * <pre>
 *   message = { tag value }*      tag = varint (field << 3 | wire type)
 *   wire type 0: varint, 1: 8 bytes, 2: varint length + bytes, 5: 4 bytes
 *   token ids are packed (wire type 2: varints one after another) or single (wire type 0)
 * </pre>
 *
 * <p>Threading: the driver of one call.
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
  private static final int USUAL_TOKENS = 8;

  private byte[] bytes = new byte[0];
  private int position;
  private long sequence;
  private int event;
  private int choice;
  private int[] tokens = new int[USUAL_TOKENS];
  private int tokenCount;
  private long textBytes;

  /** Sequence number of the message read last. */
  long sequence() {
    return sequence;
  }

  /** Field number of its event, or {@link #NONE}. */
  int event() {
    return event;
  }

  /** Of a delta: which choice; negative if its number is above 2^31 - 1. */
  int choice() {
    return choice;
  }

  /** Of a delta: number of new tokens. */
  int tokenCount() {
    return tokenCount;
  }

  /** Of a delta: its tokens, {@link #tokenCount} of them; overwritten by the next message. */
  int[] tokens() {
    return tokens;
  }

  /** Of a delta: UTF-8 bytes of its text. */
  long textBytes() {
    return textBytes;
  }

  /** Looks at one message. False if it is not a well-formed protobuf message. */
  boolean read(byte[] message) {
    bytes = message;
    position = 0;
    sequence = 0;
    event = NONE;
    choice = 0;
    tokenCount = 0;
    textBytes = 0;
    int end = message.length;
    while (position >= 0 && position < end) {
      long tag = varint(end);
      int field = (int) (tag >>> 3);
      int wireType = (int) tag & 7;
      if (wireType == VARINT) {
        long value = varint(end);
        if (field == GenerateResponse.SEQUENCE_FIELD_NUMBER) {
          sequence = value;
        }
      } else if (wireType == LENGTH_DELIMITED && field >= STARTED && field <= FINISHED) {
        int eventEnd = end(varint(end), end);
        event = field;
        if (field == DELTA) {
          readDelta(eventEnd);
        } else {
          position = eventEnd;
        }
      } else {
        skip(wireType, end);
      }
    }
    if (position < 0) {
      event = NONE;
    }
    return position >= 0;
  }

  private void readDelta(int end) {
    while (position >= 0 && position < end) {
      long tag = varint(end);
      int field = (int) (tag >>> 3);
      int wireType = (int) tag & 7;
      if (field == Delta.TOKEN_IDS_FIELD_NUMBER && wireType == LENGTH_DELIMITED) {
        int packedEnd = end(varint(end), end);
        if (packedEnd < 0) {
          position = -1;
        }
        while (position >= 0 && position < packedEnd) {
          add((int) varint(packedEnd));
        }
      } else if (field == Delta.TOKEN_IDS_FIELD_NUMBER && wireType == VARINT) {
        add((int) varint(end));
      } else if (field == Delta.CHOICE_FIELD_NUMBER && wireType == VARINT) {
        choice = (int) varint(end);
      } else if (field == Delta.TEXT_FIELD_NUMBER && wireType == LENGTH_DELIMITED) {
        textBytes = varint(end);
        position = end(textBytes, end);
      } else {
        skip(wireType, end);
      }
    }
    if (end < 0) {
      position = -1;
    }
  }

  private void add(int token) {
    if (tokenCount == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * tokenCount);
    }
    tokens[tokenCount++] = token;
  }

  /** The next varint; position becomes -1 if there is none before {@code end}. */
  private long varint(int end) {
    long value = 0;
    for (int i = 0; i < MAX_VARINT_BYTES && position >= 0 && position < end; i++) {
      byte b = bytes[position++];
      value |= (b & 0x7fL) << (7 * i);
      if (b >= 0) {
        return value;
      }
    }
    position = -1;
    return 0;
  }

  /** Where a field of so many bytes that begins here ends; -1 if that is beyond {@code end}. */
  private int end(long length, int end) {
    return position < 0 || length < 0 || length > end - position ? -1 : position + (int) length;
  }

  private void skip(int wireType, int end) {
    switch (wireType) {
      case VARINT -> varint(end);
      case FIXED64 -> position = end(Long.BYTES, end);
      case LENGTH_DELIMITED -> position = end(varint(end), end);
      case FIXED32 -> position = end(Integer.BYTES, end);
      default -> position = -1; // groups are not part of proto3
    }
  }
}
