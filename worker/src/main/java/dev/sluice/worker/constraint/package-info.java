/**
 * What an output must conform to: regular expressions, JSON Schemas and closed sets of strings,
 * compiled to automata over bytes, and from these masks over a vocabulary. Starting points: {@code
 * Constraints}, {@code Constraint}.
 */
@NullMarked
package dev.sluice.worker.constraint;

import org.jspecify.annotations.NullMarked;
