/**
 * From logits to the next token: samplers and counter-based random numbers. Starting point: {@code
 * Sampler}.
 */
@NullMarked
package dev.sluice.worker.sampling;

import org.jspecify.annotations.NullMarked;
