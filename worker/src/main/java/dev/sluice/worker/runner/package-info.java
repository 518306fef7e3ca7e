/** Model runners: what computes the engine's steps. */
@NullMarked
package dev.sluice.worker.runner;

import org.jspecify.annotations.NullMarked;
