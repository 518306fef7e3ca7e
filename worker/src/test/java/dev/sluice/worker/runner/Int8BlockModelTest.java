package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Quantization;

final class Int8BlockModelTest extends QuantizedModelChecks {
  Int8BlockModelTest() {
    super(Quantization.INT8_BLOCK);
  }
}
