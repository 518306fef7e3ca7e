package dev.sluice.worker.service;

import dev.sluice.v1.KvEvents;
import dev.sluice.v1.Load;
import dev.sluice.v1.WatchResponse;
import dev.sluice.v1.WorkerSnapshot;
import dev.sluice.v1.WorkerState;
import dev.sluice.worker.engine.CacheContent;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.Optional;

/**
 * One Watch stream. Sends only while its subscriber reads: load and state are then sent as they
 * are, blocks as they have changed, or all of them if too much has changed meanwhile.
 *
 * <p>Threading: the watch thread.
 */
final class WatchStream {
  private final String name;
  private final ServerCallStreamObserver<WatchResponse> observer;
  private final Optional<CacheFeed> blocks;
  private long sequence;
  private boolean current;
  private boolean sendingChunks;
  private Load sentLoad = Load.getDefaultInstance();
  private WorkerState sentState = WorkerState.WORKER_STATE_UNSPECIFIED;

  /**
   * @param blocks what the subscriber is told of cached blocks, if anything
   */
  WatchStream(
      String name, ServerCallStreamObserver<WatchResponse> observer, Optional<CacheFeed> blocks) {
    this.name = name;
    this.observer = observer;
    this.blocks = blocks;
  }

  String name() {
    return name;
  }

  /** Whether it needs to hear which blocks are cached before it can go on. */
  boolean needsContent() {
    return !current && blocks.isPresent() && observer.isReady();
  }

  /**
   * Begins, or begins anew.
   *
   * @param snapshot without cached blocks
   */
  void begin(WorkerSnapshot.Builder snapshot, Optional<CacheContent> content) {
    current = true;
    sentLoad = snapshot.getLoad();
    sentState = snapshot.getState();
    if (blocks.isPresent() && content.isPresent()) {
      blocks.get().begin(content.get());
      snapshot.setCachedBlockHashes(blocks.get().nextChunk());
      sendingChunks = blocks.get().hasChunks();
    }
    send(WatchResponse.newBuilder().setSnapshot(snapshot.setLastChunk(!sendingChunks)));
  }

  /** Whether it can be told what has changed. */
  boolean canUpdate() {
    return current && observer.isReady();
  }

  /** Whether it waits for its first message, or for one that starts it anew. */
  boolean mustBegin() {
    return !current && observer.isReady();
  }

  /** Sends what has changed since the last time. */
  void update(Load load, WorkerState state) {
    sendChunks();
    if (sendingChunks) {
      return;
    }
    if (state != sentState) {
      sentState = state;
      send(WatchResponse.newBuilder().setState(state));
    }
    if (!load.equals(sentLoad)) {
      sentLoad = load;
      send(WatchResponse.newBuilder().setLoad(load));
    }
    blocks.ifPresent(this::sendChanges);
  }

  private void sendChunks() {
    while (sendingChunks && observer.isReady()) {
      CacheFeed feed = blocks.orElseThrow();
      WorkerSnapshot.Builder chunk =
          WorkerSnapshot.newBuilder().setCachedBlockHashes(feed.nextChunk());
      sendingChunks = feed.hasChunks();
      send(WatchResponse.newBuilder().setSnapshot(chunk.setLastChunk(!sendingChunks)));
    }
  }

  private void sendChanges(CacheFeed feed) {
    Optional<KvEvents> changes = feed.changes();
    if (changes.isEmpty()) {
      current = false;
    } else if (changes.get().getSerializedSize() > 0) {
      send(WatchResponse.newBuilder().setKvEvents(changes.get()));
    }
  }

  void send(WatchResponse.Builder response) {
    observer.onNext(response.setSequence(++sequence).build());
  }

  void fail(RuntimeException error) {
    observer.onError(error);
  }
}
