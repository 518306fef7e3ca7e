/**
 * Prompts to tokens and blocks, in the router, with tokenizers that workers lend. Starting point:
 * {@code Prompts}.
 */
@NullMarked
package dev.sluice.router.prompt;

import org.jspecify.annotations.NullMarked;
