package dev.sluice.worker.runner;

import dev.sluice.worker.ort.OrtAllocator;
import dev.sluice.worker.ort.OrtSession;
import dev.sluice.worker.ort.OrtSessionOptions;

/** Where the graph for a GPU runs. */
interface Accelerator {
  /**
   * Lets a session run there.
   *
   * @throws DeviceException if it cannot
   */
  void addTo(OrtSessionOptions options);

  /** Its memory, for a session that runs there. */
  OrtAllocator memory(OrtSession session);

  /** The domain of the {@code PagedAttention} that it has. */
  String attentionDomain();
}
