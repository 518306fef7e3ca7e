/**
 * ONNX Runtime's C API, bound by the foreign-function API: only what Sluice needs, each native
 * object with one owner that closes it. Starting points: {@code OrtEnvironment}, {@code
 * OrtSession}, {@code CustomOp}.
 *
 * <p>Pointers travel as {@code long}: every supported platform has 64-bit addresses, and a step
 * then allocates nothing.
 */
@NullMarked
package dev.sluice.worker.ort;

import org.jspecify.annotations.NullMarked;
