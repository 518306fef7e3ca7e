/** {@code sluice bench}: load on a running fleet, and what its users see of it. */
@NullMarked
package dev.sluice.app.bench;

import org.jspecify.annotations.NullMarked;
