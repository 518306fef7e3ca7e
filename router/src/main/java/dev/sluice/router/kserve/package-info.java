/**
 * The Open Inference Protocol (KServe v2) with Triton's streaming, in front of the same pipeline.
 * Starting point: {@code InferenceService}.
 */
@NullMarked
package dev.sluice.router.kserve;

import org.jspecify.annotations.NullMarked;
