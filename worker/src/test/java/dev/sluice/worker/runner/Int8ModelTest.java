package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Quantization;
import org.junit.jupiter.api.Test;

final class Int8ModelTest extends QuantizedModelChecks {
  Int8ModelTest() {
    super(Quantization.INT8, 0.03, 0.94);
  }

  @Test
  void bitsDoNotDependOnBatchOrChunks() {
    checkBitsDoNotDependOnBatchOrChunks();
  }
}
