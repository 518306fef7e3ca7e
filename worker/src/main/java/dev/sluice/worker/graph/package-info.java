/**
 * From a model's configuration to an ONNX graph, written in process; weights stay outside of it.
 * Starting points: {@code DecoderGraph}, {@code Quantization}.
 */
@NullMarked
package dev.sluice.worker.graph;

import org.jspecify.annotations.NullMarked;
