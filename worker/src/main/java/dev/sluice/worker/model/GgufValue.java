package dev.sluice.worker.model;

import java.lang.foreign.MemorySegment;

/** A metadata value of a GGUF file. */
sealed interface GgufValue {
  record Text(String value) implements GgufValue {}

  /** Any whole number; unsigned 64-bit numbers from 2^63 on are negative here. */
  record Whole(long value) implements GgufValue {}

  record Real(double value) implements GgufValue {}

  record Flag(boolean value) implements GgufValue {}

  /**
   * Elements that have been skipped over once, so that all lie in the content, and are decoded when
   * asked for: a hostile file cannot make the reader fill the heap.
   *
   * @param elementType of each element; never {@link GgufValueType#ARRAY}
   * @param count number of elements
   * @param content the elements' bytes
   */
  record Array(GgufValueType elementType, long count, MemorySegment content) implements GgufValue {}
}
