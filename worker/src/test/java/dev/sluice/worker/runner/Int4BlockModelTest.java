package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Quantization;

final class Int4BlockModelTest extends QuantizedModelChecks {
  Int4BlockModelTest() {
    super(Quantization.INT4_BLOCK, 0.3, 0.7);
  }
}
