/**
 * Which blocks of which prompts are cached where, as the workers tell. Starting point: {@code
 * PrefixIndex}.
 */
@NullMarked
package dev.sluice.router.index;

import org.jspecify.annotations.NullMarked;
