/** Fakes and helpers for the router's tests. */
@NullMarked
package dev.sluice.router.testing;

import org.jspecify.annotations.NullMarked;
