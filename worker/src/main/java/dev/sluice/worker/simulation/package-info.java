/**
 * The real scheduler and block pool on a virtual clock, with the time of each step from a cost
 * model. Starting point: {@code Simulation}.
 */
@NullMarked
package dev.sluice.worker.simulation;

import org.jspecify.annotations.NullMarked;
