/**
 * Model files to named weights; architectures as data; the ONNX graph. Starting points: {@code
 * Checkpoint}, {@code ModelConfig}.
 */
@NullMarked
package dev.sluice.worker.model;

import org.jspecify.annotations.NullMarked;
