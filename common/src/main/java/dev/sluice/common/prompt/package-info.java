/** Prompts to tokens, in one way for router and worker. Starting point: {@code PromptEncoder}. */
@NullMarked
package dev.sluice.common.prompt;

import org.jspecify.annotations.NullMarked;
