package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import org.junit.jupiter.api.Test;

final class Int8ModelTest extends QuantizedModelChecks {
  Int8ModelTest() {
    super(Quantization.INT8, KvType.FLOAT32, 0.03, 0.94);
  }

  @Test
  void bitsDoNotDependOnBatchOrChunks() {
    checkBitsDoNotDependOnBatchOrChunks();
  }
}
