package dev.sluice.worker.service;

import com.google.protobuf.CodedOutputStream;
import dev.sluice.v1.Delta;
import dev.sluice.v1.TokenLogprob;
import java.util.ArrayDeque;
import java.util.Optional;

/**
 * Tokens of one choice on their way to the client. While the client does not read, tokens merge
 * into one delta; a delta that nears the message limit is closed and the next one begun.
 *
 * <p>Threading: one thread, the stream's.
 */
final class Outbox {
  /** Well below the 64 KiB that a message may have. */
  private static final int DELTA_BYTES = 32 << 10;

  private final int choice;
  private final ArrayDeque<Delta> closed = new ArrayDeque<>();
  private final StringBuilder text = new StringBuilder();
  private Delta.Builder open = Delta.newBuilder();
  private int openBytes;
  private int closedBytes;

  Outbox(int choice) {
    this.choice = choice;
  }

  /**
   * Adds a token with the text that it completed, which may be empty, and its log-probability, if
   * that was asked for.
   */
  void addToken(int tokenId, String tokenText, Optional<TokenLogprob> logprob) {
    open.addTokenIds(tokenId);
    openBytes += CodedOutputStream.computeUInt32SizeNoTag(tokenId);
    if (logprob.isPresent()) {
      open.addLogprobs(logprob.get());
      openBytes += CodedOutputStream.computeMessageSizeNoTag(logprob.get()) + 1;
    }
    addText(tokenText);
  }

  /** Adds text that was held back for tokens added before. */
  void addText(String more) {
    text.append(more);
    openBytes += utf8Bytes(more);
    if (openBytes >= DELTA_BYTES) {
      close();
    }
  }

  /** The next delta to send; all that waits, up to the size of one message. */
  Optional<Delta> poll() {
    if (closed.isEmpty() && openBytes > 0) {
      close();
    }
    Delta delta = closed.poll();
    if (delta == null) {
      return Optional.empty();
    }
    closedBytes -= delta.getSerializedSize();
    return Optional.of(delta);
  }

  /** Bytes that wait, about. */
  int unsentBytes() {
    return closedBytes + openBytes;
  }

  private void close() {
    Delta delta = open.setChoice(choice).setText(text.toString()).build();
    closed.add(delta);
    closedBytes += delta.getSerializedSize();
    open = Delta.newBuilder();
    text.setLength(0);
    openBytes = 0;
  }

  private static int utf8Bytes(String s) {
    int bytes = 0;
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      bytes += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
    }
    return bytes;
  }
}
