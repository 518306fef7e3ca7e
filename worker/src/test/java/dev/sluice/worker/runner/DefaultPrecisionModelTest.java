package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;

/** What a worker on a CPU computes with unless told otherwise. */
final class DefaultPrecisionModelTest extends QuantizedModelChecks {
  DefaultPrecisionModelTest() {
    super(Quantization.INT8, KvType.BF16, 0.03, 0.92);
  }
}
