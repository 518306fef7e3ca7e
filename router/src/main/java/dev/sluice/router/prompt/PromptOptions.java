package dev.sluice.router.prompt;

import dev.sluice.common.config.ByteSize;

/**
 * How prompts are tokenized.
 *
 * @param tokenize whether the router renders and tokenizes prompts, with tokenizers that workers
 *     lend; else workers do, and nothing is known of what they have cached for a text
 * @param memory prompts of conversations that are remembered, so that only what is new of the next
 *     turn is tokenized
 */
public record PromptOptions(boolean tokenize, ByteSize memory) {
  public static final PromptOptions DEFAULTS = new PromptOptions(true, ByteSize.ofMiB(64));
}
