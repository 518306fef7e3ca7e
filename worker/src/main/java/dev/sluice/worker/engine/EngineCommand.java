package dev.sluice.worker.engine;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What other threads tell the engine thread. */
sealed interface EngineCommand {
  /** A new request; {@link Intake} has let it in. */
  record Submit(Request request) implements EngineCommand {}

  /** Ends a request as failed. */
  record Cancel(Request request) implements EngineCommand {}

  /** Completes a choice; its output is the first {@code keptTokens} tokens. */
  record Stop(Sequence sequence, int keptTokens) implements EngineCommand {}

  /** Asks for what is in the prefix cache. */
  record ListCache(CompletableFuture<CacheContent> content) implements EngineCommand {}

  /** Asks for the ids of the requests that decode. */
  record ListDecoding(CompletableFuture<List<String>> requestIds) implements EngineCommand {}

  /** What still lives at this time of the engine's clock fails. */
  record Drain(long deadlineNanos) implements EngineCommand {}

  /** Takes a {@link Drain} back. */
  record Undrain() implements EngineCommand {}

  /** A {@link Drain} after which the engine thread ends. */
  record Close(long deadlineNanos) implements EngineCommand {}
}
