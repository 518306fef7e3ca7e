package dev.sluice.worker.model;

import java.lang.foreign.MemorySegment;
import java.util.Set;

/**
 * A model's files, opened: its configuration, its weights by name, its tokenizer. Names and layouts
 * are those of Hugging Face checkpoints whatever the file format ({@code
 * model.layers.0.self_attn.q_proj.weight}, rows are output channels, rotary halves not
 * interleaved).
 *
 * <p>Threading: immutable; reading from several threads is safe. Closing unmaps the files.
 */
public interface Checkpoint extends AutoCloseable {
  /** What the model is. */
  ModelConfig config();

  /** Names of all weights. */
  Set<String> names();

  /**
   * Shape of a weight, outermost dimension first: {@code [out, in]} for matrices.
   *
   * @throws ModelFileException if there is no such weight; names file and weight
   */
  long[] shape(String name);

  /**
   * Reads a weight as float32, dequantised if the file holds it quantised.
   *
   * @param destination receives all elements, row-major; {@code 4 * elements} bytes
   */
  void read(String name, MemorySegment destination);

  /** The tokenizer that belongs to the weights. */
  dev.sluice.common.tokenizer.TokenizerBundle tokenizer();

  /** SHA-256 of the content that defines the weights, in hex; part of the numerics fingerprint. */
  String contentHash();

  /**
   * Lets go of the physical memory that reading has brought in. What is read again afterwards is
   * brought in again.
   */
  default void unload() {}

  @Override
  void close();
}
