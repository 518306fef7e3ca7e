/**
 * What the edges for other protocols share: GenerationService within the process, and requests in
 * the field names of OpenAI and vLLM. Starting points: {@code LocalGeneration}, {@code
 * GenerationFields}.
 */
@NullMarked
package dev.sluice.router.edge;

import org.jspecify.annotations.NullMarked;
