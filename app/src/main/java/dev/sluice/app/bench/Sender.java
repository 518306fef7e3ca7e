package dev.sluice.app.bench;

import dev.sluice.app.bench.Job.Turn;

/**
 * Sends requests and takes the time.
 *
 * <p>Threading: safe for use by many threads, each with a job of its own.
 */
interface Sender {
  /** Begins a job. */
  Talk talk(Job job);

  /** A job that is being sent: the conversation so far. Threading: one thread. */
  interface Talk {
    /**
     * Sends the next request and waits for its answer.
     *
     * @param due when it was to be sent, in nanoseconds after the start of the measurement
     */
    Outcome send(Turn turn, long due);
  }
}
