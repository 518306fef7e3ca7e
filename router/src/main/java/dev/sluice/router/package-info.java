/** The router process. Starting point: {@code RouterMain}. */
@NullMarked
package dev.sluice.router;

import org.jspecify.annotations.NullMarked;
