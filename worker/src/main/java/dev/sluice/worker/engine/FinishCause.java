package dev.sluice.worker.engine;

/** Why a choice ended. */
public sealed interface FinishCause {
  /** The model's end-of-sequence token came. */
  record EndOfSequence(int tokenId) implements FinishCause {}

  /** The engine says that there is no more, and no token of its says so. */
  record EndOfOutput() implements FinishCause {}

  /** One of the task's stop tokens came. */
  record StopToken(int tokenId) implements FinishCause {}

  /** The task's own maximum of output tokens is reached. */
  record Length() implements FinishCause {}

  /** No maximum was given, and the context or the KV pool has no room for more. */
  record Context() implements FinishCause {}

  /** The output conforms to the task's constraint, and nothing else may follow. */
  record ConstraintDone() implements FinishCause {}

  /** No token that may be chosen leads to an output that conforms. */
  record ConstraintDeadEnd() implements FinishCause {}

  /** {@link GenerationEngine#stop} was called. */
  record Stopped() implements FinishCause {}
}
