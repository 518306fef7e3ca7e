package dev.sluice.router.fleet;

import static dev.sluice.router.fleet.WatchMirror.Effect.BROKEN;
import static dev.sluice.router.fleet.WatchMirror.Effect.CHANGED;
import static dev.sluice.router.fleet.WatchMirror.Effect.HEARTBEAT;
import static dev.sluice.router.fleet.WatchMirror.Effect.NONE;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.sluice.router.index.IndexOptions;
import dev.sluice.router.index.PrefixIndex;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.v1.Heartbeat;
import dev.sluice.v1.Load;
import dev.sluice.v1.WatchResponse;
import dev.sluice.v1.WorkerIdentity;
import dev.sluice.v1.WorkerSnapshot;
import dev.sluice.v1.WorkerState;
import org.junit.jupiter.api.Test;

class WatchMirrorTest {
  private final WatchMirror mirror = new WatchMirror(new PrefixIndex(IndexOptions.DEFAULTS).join());
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
