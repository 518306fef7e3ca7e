/** Benchmarks of the engine in process. Starting point: {@code EngineBench}. */
@NullMarked
package dev.sluice.worker.bench;

import org.jspecify.annotations.NullMarked;
