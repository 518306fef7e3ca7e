/** The sluice command line. Starting point: {@link dev.sluice.app.Main}. */
@NullMarked
package dev.sluice.app;

import org.jspecify.annotations.NullMarked;
