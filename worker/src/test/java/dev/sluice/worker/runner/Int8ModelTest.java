package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Quantization;

final class Int8ModelTest extends QuantizedModelChecks {
  Int8ModelTest() {
    super(Quantization.INT8);
  }
}
