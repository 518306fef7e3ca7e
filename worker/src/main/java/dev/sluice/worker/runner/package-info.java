/**
 * What computes the steps of an engine. Starting points: {@code OrtModelRunner}, {@code
 * SimulatedModelRunner}.
 */
@NullMarked
package dev.sluice.worker.runner;

import org.jspecify.annotations.NullMarked;
