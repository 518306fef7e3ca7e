package dev.sluice.worker.triton;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Turns bytes that arrive in parts into text that never ends in half a character.
 *
 * <p>Threading: confined to its owner.
 */
final class Utf8Joiner {
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);
  private ByteString held = ByteString.EMPTY; // the beginning of a character

  /** The next whole characters. */
  String append(ByteString part) {
    return decode(held.concat(part), false);
  }

  /** What was held back, once it is certain that nothing more comes. */
  String flush() {
    return decode(held, true);
  }

  private String decode(ByteString bytes, boolean last) {
    ByteBuffer in = bytes.asReadOnlyByteBuffer();
    CharBuffer out = CharBuffer.allocate(bytes.size() + 1);
    CoderResult _ = decoder.reset().decode(in, out, last);
    held = last ? ByteString.EMPTY : ByteString.copyFrom(in);
    return out.flip().toString();
  }
}
