/** The order in which tenants are served. Starting point: {@code FairQueue}. */
@NullMarked
package dev.sluice.common.fair;

import org.jspecify.annotations.NullMarked;
