/** What every process does around its services: listening, stopping, channels, logs per call. */
@NullMarked
package dev.sluice.common.server;

import org.jspecify.annotations.NullMarked;
