@NullMarked
package dev.sluice.common.tokenizer;

import org.jspecify.annotations.NullMarked;
