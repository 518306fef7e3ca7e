package dev.sluice.client;

import dev.sluice.v1.GenerateResponse;

/**
 * Hears the messages of a stream, one at a time and in order, on a virtual thread of its own; it
 * may block, which slows the stream down. An exception thrown by {@link #onMessage} cancels the
 * call and goes to {@link #onFailure}.
 */
public interface GenerateListener {
  void onMessage(GenerateResponse message);

  /** The stream ended well; nothing follows. */
  void onComplete();

  /** The stream failed or was cancelled; nothing follows. */
  void onFailure(RuntimeException failure);
}
