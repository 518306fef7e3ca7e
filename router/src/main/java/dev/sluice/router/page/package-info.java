/**
 * The live page at the router's HTTP port: what happens in the fleet now, what happened in the last
 * minutes, and where the time of recent requests went. Starting points: {@link
 * dev.sluice.router.page.LivePage} serves it, {@link dev.sluice.router.page.Trail} is what a
 * request writes.
 */
@NullMarked
package dev.sluice.router.page;

import org.jspecify.annotations.NullMarked;
