/** Text to tokens and back. Starting points: {@code Tokenizer}, {@code TextStream}. */
@NullMarked
package dev.sluice.common.tokenizer;

import org.jspecify.annotations.NullMarked;
