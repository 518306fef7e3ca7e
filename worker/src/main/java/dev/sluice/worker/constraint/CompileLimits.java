package dev.sluice.worker.constraint;

import java.time.Duration;

/**
 * Bounds of compiling one constraint. All but the time are counts, so that every machine accepts
 * and refuses the same constraints.
 *
 * @param sourceLength most characters of a schema or a regular expression, or of all choices
 * @param nesting most nested values of a schema, or groups of a regular expression
 * @param nodes most parts that it is put together from: positions of a regular expression with its
 *     repetitions written out, or places between the values of a schema
 * @param states most states of its automata together
 * @param work most visits of a position while automata are made
 * @param time most time, of the thread that compiles
 */
record CompileLimits(
    int sourceLength, int nesting, int nodes, int states, long work, Duration time) {
  /** 256 Ki characters, 64 levels, 50,000 nodes, 20,000 states, 10 million visits, 5 s. */
  static CompileLimits defaults() {
    return new CompileLimits(256 << 10, 64, 50_000, 20_000, 10_000_000, Duration.ofSeconds(5));
  }
}
