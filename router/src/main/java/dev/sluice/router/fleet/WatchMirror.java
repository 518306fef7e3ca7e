package dev.sluice.router.fleet;

import dev.sluice.router.index.WorkerBlocks;
import dev.sluice.v1.KvEvents;
import dev.sluice.v1.WatchResponse;
import dev.sluice.v1.WorkerSnapshot;
import java.util.Optional;

/**
 * The state of a worker as told by one Watch stream: a snapshot in chunks, then deltas. Knows when
 * the stream can no longer be trusted.
 *
 * <p>Threading: the fleet loop.
 */
final class WatchMirror {
  /** What a message did. */
  enum Effect {
    /** Nothing that shows: a snapshot that is not complete. */
    NONE,
    /** The engine's state was told. */
    HEARTBEAT,
    /** The report is new. */
    CHANGED,
    /** Something is missing or contradicts: the stream must be opened anew. */
    BROKEN
  }

  private final WorkerBlocks blocks;
  private long lastSequence;
  private Optional<WorkerSnapshot> partial = Optional.empty();
  private Optional<WorkerReport> report = Optional.empty();
  private String fault = "";

  /**
   * @param blocks what the stream tells of cached blocks goes there
   */
  WatchMirror(WorkerBlocks blocks) {
    this.blocks = blocks;
  }

  /** What the worker said; empty until the first complete snapshot. */
  Optional<WorkerReport> report() {
    return report;
  }

  /** What was wrong, after {@link Effect#BROKEN}. */
  String fault() {
    return fault;
  }

  Effect apply(WatchResponse message) {
    if (message.getSequence() != lastSequence + 1) {
      return broken(
          "sequence " + message.getSequence() + " (expected: " + (lastSequence + 1) + ")");
    }
    lastSequence = message.getSequence();
    return switch (message.getEventCase()) {
      case SNAPSHOT -> applyChunk(message.getSnapshot());
      case LOAD -> update(report.map(r -> r.withLoad(message.getLoad())), message);
      case STATE -> update(report.map(r -> r.withState(message.getState())), message);
      case HEARTBEAT -> {
        int routers = message.getHeartbeat().getRouters();
        if (routers > 0) {
          report = report.map(r -> r.routers() == routers ? r : r.withRouters(routers));
        }
        yield Effect.HEARTBEAT;
      }
      case KV_EVENTS -> change(message.getKvEvents());
      case EVENT_NOT_SET -> Effect.NONE;
    };
  }

  private Effect applyChunk(WorkerSnapshot chunk) {
    // Every chunk but the last is only a part; what identifies the worker is in the first.
    WorkerSnapshot merged = chunk;
    if (!WorkerBlocks.wellFormed(chunk.getCachedBlockHashes())) {
      return broken("half a block hash in a snapshot");
    }
    if (partial.isEmpty()) {
      blocks.begin();
    } else {
      String epoch = partial.get().getIdentity().getEpoch();
      if (chunk.hasIdentity() && !chunk.getIdentity().getEpoch().equals(epoch)) {
        return broken("epoch " + chunk.getIdentity().getEpoch() + " (expected: " + epoch + ")");
      }
      merged = partial.get().toBuilder().mergeFrom(chunk).build();
    }
    blocks.store(chunk.getCachedBlockHashes());
    merged = merged.toBuilder().clearCachedBlockHashes().build();
    if (!chunk.getLastChunk()) {
      partial = Optional.of(merged);
      return Effect.NONE;
    }
    partial = Optional.empty();
    if (merged.getIdentity().getWorkerId().isEmpty() || merged.getModel().getId().isEmpty()) {
      return broken("snapshot without worker id or model id");
    }
    blocks.complete();
    report = Optional.of(WorkerReport.of(merged));
    return Effect.CHANGED;
  }

  private Effect change(KvEvents events) {
    if (report.isEmpty() || partial.isPresent()) {
      return broken("changes of cached blocks before the snapshot's last chunk");
    }
    if (!WorkerBlocks.wellFormed(events.getStored())
        || !WorkerBlocks.wellFormed(events.getRemoved())) {
      return broken("half a block hash in changes");
    }
    // In the order in which the contract says they happened.
    if (events.getCleared()) {
      blocks.clear();
    }
    blocks.remove(events.getRemoved());
    blocks.store(events.getStored());
    return Effect.NONE;
  }

  private Effect update(Optional<WorkerReport> updated, WatchResponse message) {
    if (updated.isEmpty()) {
      return broken(message.getEventCase() + " before the first snapshot");
    }
    report = updated;
    return Effect.CHANGED;
  }

  private Effect broken(String what) {
    fault = what;
    return Effect.BROKEN;
  }
}
