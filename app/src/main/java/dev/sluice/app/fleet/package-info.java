/**
 * A fleet of processes on this machine: a router and its workers, started, watched and stopped.
 * Starting point: {@link dev.sluice.app.fleet.LocalFleet}.
 */
@NullMarked
package dev.sluice.app.fleet;

import org.jspecify.annotations.NullMarked;
