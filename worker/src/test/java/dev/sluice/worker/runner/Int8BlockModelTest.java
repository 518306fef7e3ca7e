package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import org.junit.jupiter.api.Test;

final class Int8BlockModelTest extends QuantizedModelChecks {
  Int8BlockModelTest() {
    super(Quantization.INT8_BLOCK, KvType.FLOAT32, 0.03, 0.94);
  }

  @Test
  void bitsDoNotDependOnBatchOrChunks() {
    checkBitsDoNotDependOnBatchOrChunks();
  }
}
