package dev.sluice.router.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.WorkerAddress;
import dev.sluice.router.fleet.WorkerLink;
import dev.sluice.router.fleet.WorkerReport;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.NoChannel;
import dev.sluice.v1.Capabilities;
import dev.sluice.v1.Limits;
import dev.sluice.v1.Load;
import dev.sluice.v1.WorkerIdentity;
import dev.sluice.v1.WorkerState;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class SelectorTest {
  private final WorkerView ready = worker(1, "m", WorkerStatus.READY);
  private final WorkerView other = worker(2, "n", WorkerStatus.READY);
  private final WorkerView draining = worker(3, "m", WorkerStatus.DRAINING);
  private final WorkerView suspect = worker(4, "m", WorkerStatus.SUSPECT);
  private final WorkerView joining = worker(5, "", WorkerStatus.JOINING);

  private static WorkerView worker(int port, String model, WorkerStatus status) {
    WorkerAddress address = new WorkerAddress("w", port);
    Optional<WorkerReport> report =
        model.isEmpty()
            ? Optional.empty()
            : Optional.of(
                new WorkerReport(
                    WorkerIdentity.newBuilder().setWorkerId("w" + port).build(),
                    Capabilities.getDefaultInstance(),
                    FakeWorker.model(model),
                    Limits.getDefaultInstance(),
                    WorkerState.WORKER_STATE_READY,
                    Load.getDefaultInstance()));
    return new WorkerView(address, status, "", report, 0, new WorkerLink(address, new NoChannel()));
  }

  private static Selection select(String model, Set<WorkerLink> tried, WorkerView... workers) {
    return new Selector("least-outstanding", new LeastOutstanding())
        .select(new FleetSnapshot(1, List.of(workers)), model, tried);
  }

  @Test
  void choosesOnlyAmongReadyUntriedWorkersOfTheModel() {
    for (String name : List.of("m", "alias-of-m")) {
      assertThat(select(name, Set.of(), other, draining, suspect, ready, joining))
          .isEqualTo(new Selection.Chosen(ready, 1));
    }
    assertThat(select("m", Set.of(ready.link()), ready, other, draining))
        .isEqualTo(new Selection.NobodyReady("m", false));
  }

  @Test
  void anEmptyNameMeansTheOnlyModel() {
    assertThat(select("", Set.of(), suspect, ready)).isEqualTo(new Selection.Chosen(ready, 1));
    assertThat(select("", Set.of(), ready, other))
        .isEqualTo(new Selection.AmbiguousModel(List.of("m", "n")));
  }

  @Test
  void tellsWhetherWaitingCouldHelp() {
    assertThat(select("m", Set.of(), draining)).isEqualTo(new Selection.NobodyReady("m", false));
    assertThat(select("m", Set.of(), suspect, joining))
        .isEqualTo(new Selection.NobodyReady("m", true));
    assertThat(select("x", Set.of(), ready))
        .isEqualTo(new Selection.UnknownModel("x", List.of("m"), false));
    assertThat(select("", Set.of(), joining))
        .isEqualTo(new Selection.UnknownModel("", List.of(), true));
  }

  @Test
  void chargesTheChoice() {
    WorkerView second = worker(6, "m", WorkerStatus.READY);
    assertThat(select("m", Set.of(), ready, second)).isEqualTo(new Selection.Chosen(ready, 2));
    assertThat(ready.link().inFlight()).isEqualTo(1);
    assertThat(select("m", Set.of(), ready, second)).isEqualTo(new Selection.Chosen(second, 2));
    ready.link().release();
    assertThat(ready.link().inFlight()).isZero();
  }

  @Test
  void decisionsAtTheSameMomentSeeEachOther() throws InterruptedException {
    WorkerView second = worker(6, "m", WorkerStatus.READY);
    FleetSnapshot fleet = new FleetSnapshot(1, List.of(ready, second));
    Selector selector = new Selector("least-outstanding", new LeastOutstanding());
    CountDownLatch done = new CountDownLatch(8);
    for (int t = 0; t < 8; t++) {
      Thread.ofPlatform()
          .start(() -> {
            for (int i = 0; i < 500; i++) {
              selector.select(fleet, "m", Set.of());
            }
            done.countDown();
          });
    }
    done.await();
    assertThat(ready.link().inFlight()).isEqualTo(2_000);
    assertThat(second.link().inFlight()).isEqualTo(2_000);
  }
}
