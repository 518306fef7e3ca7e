/** Commands that generate text: one answer, or a conversation. */
@NullMarked
package dev.sluice.app.generate;

import org.jspecify.annotations.NullMarked;
