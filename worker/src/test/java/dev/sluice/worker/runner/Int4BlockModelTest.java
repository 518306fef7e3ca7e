package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;

final class Int4BlockModelTest extends QuantizedModelChecks {
  Int4BlockModelTest() {
    super(Quantization.INT4_BLOCK, KvType.FLOAT32, 0.3, 0.7);
  }
}
