package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Quantization;
import org.junit.jupiter.api.Test;

final class Int8BlockModelTest extends QuantizedModelChecks {
  Int8BlockModelTest() {
    super(Quantization.INT8_BLOCK, 0.03, 0.94);
  }

  @Test
  void bitsDoNotDependOnBatchOrChunks() {
    checkBitsDoNotDependOnBatchOrChunks();
  }
}
