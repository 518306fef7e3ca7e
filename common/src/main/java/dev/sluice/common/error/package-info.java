/** Why a request is refused, and how that is told over gRPC. */
@NullMarked
package dev.sluice.common.error;

import org.jspecify.annotations.NullMarked;
