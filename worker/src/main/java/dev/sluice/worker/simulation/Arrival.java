package dev.sluice.worker.simulation;

import java.util.OptionalLong;

/**
 * A request that comes at some time.
 *
 * @param nanos when, after the start
 * @param prompt its tokens, below {@link Simulation#VOCABULARY}; not copied
 * @param outputTokens that it generates, if it is not cut off
 * @param tenant on whose account
 * @param priority higher goes first
 * @param ttftTargetNanos time to first token that it can live with
 * @param timeoutNanos time in which it must be complete
 */
@SuppressWarnings("ArrayRecordComponent") // read in order, never compared
public record Arrival(
    long nanos,
    int[] prompt,
    int outputTokens,
    String tenant,
    int priority,
    OptionalLong ttftTargetNanos,
    OptionalLong timeoutNanos) {
  /** An ordinary one. */
  public static Arrival of(long nanos, int[] prompt, int outputTokens, String tenant) {
    return new Arrival(
        nanos, prompt, outputTokens, tenant, 0, OptionalLong.empty(), OptionalLong.empty());
  }
}
