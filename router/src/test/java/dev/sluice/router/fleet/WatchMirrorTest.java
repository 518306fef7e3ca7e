package dev.sluice.router.fleet;

import static dev.sluice.router.fleet.WatchMirror.Effect.BROKEN;
import static dev.sluice.router.fleet.WatchMirror.Effect.CHANGED;
import static dev.sluice.router.fleet.WatchMirror.Effect.HEARTBEAT;
import static dev.sluice.router.fleet.WatchMirror.Effect.NONE;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.sluice.router.index.BlockHashes;
import dev.sluice.router.index.IndexOptions;
import dev.sluice.router.index.PrefixIndex;
import dev.sluice.router.index.WorkerBlocks;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.v1.Heartbeat;
import dev.sluice.v1.KvEvents;
import dev.sluice.v1.Load;
import dev.sluice.v1.WatchResponse;
import dev.sluice.v1.WorkerIdentity;
import dev.sluice.v1.WorkerSnapshot;
import dev.sluice.v1.WorkerState;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class WatchMirrorTest {
  private final PrefixIndex index = new PrefixIndex(IndexOptions.DEFAULTS);
  private final WorkerBlocks blocks = index.join();
  private final WatchMirror mirror = new WatchMirror(blocks);
  private long sequence;

  private WatchMirror.Effect apply(WatchResponse.Builder message) {
    return mirror.apply(message.setSequence(++sequence).build());
  }

  private static WorkerSnapshot.Builder snapshot(String epoch) {
    return WorkerSnapshot.newBuilder()
        .setIdentity(WorkerIdentity.newBuilder().setWorkerId("w").setEpoch(epoch))
        .setModel(FakeWorker.model("m"))
        .setState(WorkerState.WORKER_STATE_STARTING)
        .setLastChunk(true);
  }

  private static WatchResponse.Builder message(WorkerSnapshot.Builder snapshot) {
    return WatchResponse.newBuilder().setSnapshot(snapshot);
  }

  private static WatchResponse.Builder load(int running) {
    return WatchResponse.newBuilder().setLoad(Load.newBuilder().setRunningRequests(running));
  }

  @Test
  void appliesDeltasToTheSnapshot() {
    assertThat(apply(message(snapshot("e")))).isEqualTo(CHANGED);
    assertThat(apply(load(3))).isEqualTo(CHANGED);
    assertThat(apply(WatchResponse.newBuilder().setHeartbeat(Heartbeat.getDefaultInstance())))
        .isEqualTo(HEARTBEAT);
    assertThat(apply(WatchResponse.newBuilder().setState(WorkerState.WORKER_STATE_READY)))
        .isEqualTo(CHANGED);
    WorkerReport report = mirror.report().orElseThrow();
    assertThat(report.load().getRunningRequests()).isEqualTo(3);
    assertThat(report.state()).isEqualTo(WorkerState.WORKER_STATE_READY);
  }

  @Test
  void aSnapshotInChunksCountsOnceComplete() {
    ByteString hashes = ByteString.copyFrom(new byte[16]);
    assertThat(apply(message(snapshot("e").setCachedBlockHashes(hashes).setLastChunk(false))))
        .isEqualTo(NONE);
    assertThat(mirror.report()).isEmpty();
    assertThat(
            apply(
                message(
                    WorkerSnapshot.newBuilder().setCachedBlockHashes(hashes).setLastChunk(true))))
        .isEqualTo(CHANGED);
    assertThat(mirror.report().orElseThrow().identity().getWorkerId()).isEqualTo("w");
  }

  /** The names of blocks {@code from} to {@code to}, as a worker sends them. */
  private static ByteString hashes(BlockHashes prompt, int from, int to) {
    ByteBuffer bytes = ByteBuffer.allocate(16 * (to - from));
    for (int block = from; block < to; block++) {
      bytes.putLong(prompt.high(block)).putLong(prompt.low(block));
    }
    return ByteString.copyFrom(bytes.array());
  }

  private int cached(BlockHashes prompt) {
    int[] depth = new int[1];
    index.overlaps(prompt, new WorkerBlocks[] {blocks}, depth, 0);
    return depth[0];
  }

  private WatchMirror.Effect apply(KvEvents.Builder events) {
    return apply(WatchResponse.newBuilder().setKvEvents(events));
  }

  @Test
  void theIndexFollowsSnapshotsAndChanges() {
    BlockHashes prompt = BlockHashes.of(new int[160], 16, "");
    apply(message(snapshot("e").setCachedBlockHashes(hashes(prompt, 0, 3)).setLastChunk(false)));
    assertThat(cached(prompt)).isZero();
    apply(
        message(
            WorkerSnapshot.newBuilder()
                .setCachedBlockHashes(hashes(prompt, 3, 6))
                .setLastChunk(true)));
    assertThat(cached(prompt)).isEqualTo(6);
    apply(KvEvents.newBuilder().setStored(hashes(prompt, 6, 10)).setRemoved(hashes(prompt, 8, 9)));
    assertThat(cached(prompt)).isEqualTo(10); // removed first, then stored
    apply(KvEvents.newBuilder().setRemoved(hashes(prompt, 4, 5)));
    assertThat(cached(prompt)).isEqualTo(4);
    apply(KvEvents.newBuilder().setCleared(true).setStored(hashes(prompt, 0, 2)));
    assertThat(cached(prompt)).isEqualTo(2);
    apply(message(snapshot("e")));
    assertThat(cached(prompt)).isZero();
    assertThat(index.blocks()).isZero();
  }

  @Test
  void halfAHashBreaksTheStream() {
    apply(message(snapshot("e")));
    assertThat(apply(KvEvents.newBuilder().setStored(ByteString.copyFrom(new byte[15]))))
        .isEqualTo(BROKEN);
    assertThat(mirror.fault()).contains("half a block hash");
  }

  @Test
  void aGapBreaksTheStream() {
    apply(message(snapshot("e")));
    sequence++;
    assertThat(apply(load(1))).isEqualTo(BROKEN);
    assertThat(mirror.fault()).isEqualTo("sequence 3 (expected: 2)");
  }

  @Test
  void anotherEpochAmongChunksBreaksTheStream() {
    apply(message(snapshot("e1").setLastChunk(false)));
    assertThat(apply(message(snapshot("e2")))).isEqualTo(BROKEN);
  }

  @Test
  void aNewSnapshotReplacesAll() {
    apply(message(snapshot("e1")));
    apply(load(5));
    assertThat(apply(message(snapshot("e2")))).isEqualTo(CHANGED);
    assertThat(mirror.report().orElseThrow().identity().getEpoch()).isEqualTo("e2");
    assertThat(mirror.report().orElseThrow().load().getRunningRequests()).isZero();
  }

  @Test
  void aDeltaNeedsASnapshot() {
    assertThat(apply(load(1))).isEqualTo(BROKEN);
  }

  @Test
  void aSnapshotNamesWorkerAndModel() {
    assertThat(apply(message(snapshot("e").clearModel()))).isEqualTo(BROKEN);
    assertThat(mirror.fault()).contains("model id");
  }
}
