/** OpenTelemetry set-up shared by all processes, and the names of what they measure. */
@NullMarked
package dev.sluice.common.telemetry;

import org.jspecify.annotations.NullMarked;
