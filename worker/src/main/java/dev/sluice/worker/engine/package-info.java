/**
 * The engine: sequences, blocks, the scheduling pass, the loop. Starting points: {@code Engine},
 * {@code ModelRunner}.
 */
@NullMarked
package dev.sluice.worker.engine;

import org.jspecify.annotations.NullMarked;
