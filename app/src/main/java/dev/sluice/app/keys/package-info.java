/** {@code sluice keys}: API keys and the file with their hashes. */
@NullMarked
package dev.sluice.app.keys;

import org.jspecify.annotations.NullMarked;
