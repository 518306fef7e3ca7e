package dev.sluice.router.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.router.fleet.Charged;
import dev.sluice.router.fleet.Foreign;
import dev.sluice.router.fleet.WorkerAddress;
import dev.sluice.router.fleet.WorkerReport;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Links;
import dev.sluice.v1.Capabilities;
import dev.sluice.v1.Limits;
import dev.sluice.v1.Load;
import dev.sluice.v1.WorkerIdentity;
import dev.sluice.v1.WorkerState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CostTest {
  private static final int BLOCK = 16; // of FakeWorker's model

  /** Blocks per worker, "missing/pending/active/requests"; 1,000 blocks each. */
  private static List<Candidate> candidates(String table) {
    List<Candidate> candidates = new ArrayList<>();
    for (String cell : table.split(" ", -1)) {
      String[] parts = cell.split("/", -1);
      int missing = BLOCK * Integer.parseInt(parts[0]);
      int pending = BLOCK * Integer.parseInt(parts[1]);
      WorkerAddress address = new WorkerAddress("w", 1 + candidates.size());
      WorkerReport report =
          new WorkerReport(
              WorkerIdentity.getDefaultInstance(),
              Capabilities.getDefaultInstance(),
              FakeWorker.model("m"),
              Limits.getDefaultInstance(),
              WorkerState.WORKER_STATE_READY,
              Load.newBuilder().setKvBlocksTotal(1_000).build(),
              1);
      candidates.add(
          new Candidate(
              new WorkerView(
                  address,
                  WorkerStatus.READY,
                  "",
                  Optional.of(report),
                  1,
                  new Foreign(0, pending / 2, Integer.parseInt(parts[2])),
                  Links.to(address)),
              new Charged(Integer.parseInt(parts[3]), pending - pending / 2, 0),
              missing));
    }
    return candidates;
  }

  @ParameterizedTest
  @CsvSource({
    // who has the prefix
    "100/0/0/0 20/0/0/0 100/0/0/0, 1",
    // is worth a wait that is shorter than the work saved, not a longer one
    "100/0/0/0 20/60/0/0, 1",
    "100/0/0/0 20/140/0/0, 0",
    // without any prefix: the shortest queue
    "50/30/0/0 50/10/0/0 50/20/0/0, 1",
    // then the fewest blocks to read, and the fewest requests
    "50/0/200/0 50/0/100/0, 1",
    "50/0/0/5 50/0/0/1, 1",
    // a cache that is nearly full costs more than a prefix is worth, not one that is only busy
    "200/0/500/0 100/0/880/0, 0",
    "100/0/100/0 20/0/300/0, 1",
  })
  void picksWhatCostsLeast(String table, int expected) {
    for (long turn : new long[] {0, 1, 2, -1}) {
      assertThat(new Cost().pick(candidates(table), Affinity.NONE, turn)).isEqualTo(expected);
    }
  }

  @Test
  void aHotWorkerDoesNotTurnAffinityOffForOthers() {
    // One worker is flooded; a prompt whose prefix is at another still goes there.
    assertThat(
            new Cost()
                .pick(
                    candidates("100/2000/900/50 100/0/0/0 10/40/50/8 100/0/0/0"), Affinity.NONE, 0))
        .isEqualTo(2);
  }

  @Test
  void equalsTakeTurnsUnlessThereIsAHome() {
    List<Candidate> equal = candidates("50/0/0/0 50/0/0/0 50/0/0/0");
    assertThat(new Cost().pick(equal, Affinity.NONE, 4)).isEqualTo(1);
    assertThat(new Cost().pick(equal, Affinity.NONE, 5)).isEqualTo(2);
    int[] homes = new int[3];
    for (long key = 0; key < 300; key++) {
      Affinity session = new Affinity(OptionalLong.of(key), OptionalLong.of(7));
      int home = new Cost().pick(equal, session, 0);
      assertThat(new Cost().pick(equal, session, key)).isEqualTo(home);
      homes[home]++;
    }
    for (int count : homes) {
      assertThat(count).isBetween(70, 130);
    }
  }

  @Test
  void aHomeIsLeftForLittle() {
    Affinity session = new Affinity(OptionalLong.of(3), OptionalLong.empty());
    int home = new Cost().pick(candidates("50/0/0/0 50/0/0/0"), session, 0);
    String[] cells = {"50/0/0/0", "50/0/0/0"};
    cells[home] = "50/3/0/0";
    assertThat(new Cost().pick(candidates(String.join(" ", cells)), session, 0))
        .isEqualTo(1 - home);
  }
}
