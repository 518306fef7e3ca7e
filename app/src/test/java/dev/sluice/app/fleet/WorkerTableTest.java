package dev.sluice.app.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.app.cli.Style;
import dev.sluice.v1.FleetState;
import dev.sluice.v1.FleetWorker;
import dev.sluice.v1.Load;
import dev.sluice.v1.WorkerIdentity;
import java.util.List;
import org.junit.jupiter.api.Test;

final class WorkerTableTest {
  private static final long SECOND = 1_000_000_000;

  private final WorkerTable table = new WorkerTable(new Style(false));

  private static FleetWorker worker(FleetState state, long tokens) {
    return FleetWorker.newBuilder()
        .setAddress("127.0.0.1:9091")
        .setState(state)
        .setReason(state == FleetState.FLEET_STATE_READY ? "" : "loads its model")
        .setIdentity(WorkerIdentity.newBuilder().setWorkerId("worker-1"))
        .setLoad(
            Load.newBuilder()
                .setRunningRequests(3)
                .setKvBlocksTotal(200)
                .setKvBlocksOwned(51)
                .setStepNanos(21_300_000)
                .setOutputTokensTotal(tokens))
        .build();
  }

  private String line(FleetWorker worker, long nanos) {
    return table.lines(List.of(worker), nanos).get(1);
  }

  @Test
  void showsLoadAndRate() {
    assertThat(line(worker(FleetState.FLEET_STATE_READY, 100), 0)).endsWith(" 0.0");
    assertThat(line(worker(FleetState.FLEET_STATE_READY, 180), 2 * SECOND))
        .isEqualTo(
            "worker-1       127.0.0.1:9091        ready           3       0   26%   21.3 ms    "
                + " 40.0");
    // The next report after a moment does not make a rate of its own.
    assertThat(line(worker(FleetState.FLEET_STATE_READY, 181), 2 * SECOND + 50_000_000))
        .endsWith(" 40.0");
    assertThat(line(worker(FleetState.FLEET_STATE_READY, 190), 3 * SECOND)).endsWith(" 10.0");
  }

  @Test
  void countThatWentBackIsANewProcess() {
    assertThat(line(worker(FleetState.FLEET_STATE_READY, 100), 0)).endsWith(" 0.0");
    assertThat(line(worker(FleetState.FLEET_STATE_READY, 5), 2 * SECOND)).endsWith(" 0.0");
    assertThat(line(worker(FleetState.FLEET_STATE_READY, 25), 4 * SECOND)).endsWith(" 10.0");
  }

  @Test
  void saysWhyAWorkerIsNotReady() {
    assertThat(table.lines(List.of(worker(FleetState.FLEET_STATE_JOINING, 0)), 0))
        .hasSize(3)
        .last()
        .isEqualTo("  loads its model");
  }
}
