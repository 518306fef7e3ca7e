/** What names contents, and hides keys. Starting point: {@code Digests}. */
@NullMarked
package dev.sluice.common.digest;

import org.jspecify.annotations.NullMarked;
