package dev.sluice.app.bench;

import java.util.function.IntConsumer;
import java.util.function.LongSupplier;

/**
 * What is measured: a server, and how it is spoken to.
 *
 * <p>Threading: safe for use by many threads; {@link #close} cancels what runs.
 */
sealed interface Backend extends AutoCloseable permits GrpcBackend, OpenAiBackend {
  /** Its protocol, by the names of {@code vllm bench}. */
  String name();

  /** The model that is asked; empty: the only one served. */
  String model();

  /** Tokens from 0 to this less one can be drawn for prompts. */
  int vocabularySize();

  /**
   * Sends requests to it.
   *
   * @param clock nanoseconds since the start of the measurement
   * @param onTokens hears of tokens as they come
   */
  Sender sender(LongSupplier clock, IntConsumer onTokens);

  @Override
  void close();
}
