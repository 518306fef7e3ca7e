/**
 * Implementations of {@code ModelRunner}: what computes steps. Starting point: {@code
 * OrtModelRunner}.
 */
@NullMarked
package dev.sluice.worker.runner;

import org.jspecify.annotations.NullMarked;
