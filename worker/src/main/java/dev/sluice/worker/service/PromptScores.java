package dev.sluice.worker.service;

import com.google.protobuf.CodedOutputStream;
import dev.sluice.v1.PromptLogprobs;
import dev.sluice.v1.TokenLogprob;
import java.util.ArrayDeque;
import java.util.Optional;

/**
 * Log-probabilities of the prompt on their way to the client, in messages. Where one message ends
 * and the next begins depends on their content alone, so that another worker divides them alike.
 *
 * <p>Threading: one thread, the stream's.
 */
final class PromptScores {
  /** Well below the 64 KiB that a message may have. */
  private static final int MESSAGE_BYTES = 32 << 10;

  private final ArrayDeque<PromptLogprobs> closed = new ArrayDeque<>();
  private PromptLogprobs.Builder open = PromptLogprobs.newBuilder();
  private int openBytes;
  private int nextPosition = 1;
  private long toSkip;

  /**
   * @param sent messages that the client has already
   */
  PromptScores(long sent) {
    this.toSkip = sent;
  }

  /** Adds the next token; the prompt's second token is the first. */
  void add(TokenLogprob logprob) {
    if (open.getTokensCount() == 0) {
      open.setFirstPosition(nextPosition);
    }
    open.addTokens(logprob);
    nextPosition++;
    openBytes += CodedOutputStream.computeMessageSizeNoTag(logprob) + 1;
    if (openBytes >= MESSAGE_BYTES) {
      close();
    }
  }

  /** The next message to send, once the whole prompt is there. */
  Optional<PromptLogprobs> poll() {
    if (open.getTokensCount() > 0) {
      close();
    }
    return Optional.ofNullable(closed.poll());
  }

  private void close() {
    if (toSkip > 0) {
      toSkip--;
    } else {
      closed.add(open.build());
    }
    open = PromptLogprobs.newBuilder();
    openBytes = 0;
  }
}
