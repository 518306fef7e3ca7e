package dev.sluice.router.index;

import dev.sluice.common.config.Checks;
import java.time.Duration;

/**
 * What is remembered of the workers' caches.
 *
 * @param maxBlocks most different blocks in the index, at 16 to 48 bytes each; what is told beyond
 *     counts as not cached
 * @param recentTime how long a prompt that was just dispatched counts as cached at its worker
 */
public record IndexOptions(int maxBlocks, Duration recentTime) {
  public static final IndexOptions DEFAULTS = new IndexOptions(4 << 20, Duration.ofSeconds(5));

  public IndexOptions {
    Checks.atLeast("max-blocks", maxBlocks, 0);
    Checks.atLeast("recent-time", recentTime, Duration.ZERO);
  }
}
