/** Which worker gets a request: filter, score, pick. Starting point: {@code Selector}. */
@NullMarked
package dev.sluice.router.policy;

import org.jspecify.annotations.NullMarked;
