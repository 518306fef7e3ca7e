/**
 * The workers: a channel and a Watch stream to each, and one immutable picture of them all.
 * Starting point: {@code Fleet}.
 */
@NullMarked
package dev.sluice.router.fleet;

import org.jspecify.annotations.NullMarked;
