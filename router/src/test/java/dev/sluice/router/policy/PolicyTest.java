package dev.sluice.router.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.router.fleet.WorkerAddress;
import dev.sluice.router.fleet.WorkerLink;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.testing.NoChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PolicyTest {
  /** "2+1" is a worker with 2 requests of this router and 1 of others. */
  private static List<Candidate> candidates(String table) {
    List<Candidate> candidates = new ArrayList<>();
    for (String cell : table.split(" ", -1)) {
      String[] parts = cell.split("\\+", -1);
      WorkerAddress address = new WorkerAddress("w", 1 + candidates.size());
      candidates.add(
          new Candidate(
              new WorkerView(
                  address,
                  WorkerStatus.READY,
                  "",
                  Optional.empty(),
                  Integer.parseInt(parts[1]),
                  new WorkerLink(address, new NoChannel())),
              Integer.parseInt(parts[0])));
    }
    return candidates;
  }

  @ParameterizedTest
  @CsvSource({
    "0+0, 0, 0",
    "3+0 1+0 2+0, 0, 1",
    "3+0 1+0 2+0, 7, 1",
    // others' requests count like ours
    "0+5 2+0 1+3, 0, 1",
    // equals take turns
    "1+0 1+0 1+0, 0, 0",
    "1+0 1+0 1+0, 1, 1",
    "1+0 1+0 1+0, 5, 2",
    "2+0 1+0 0+1, 0, 1",
    "2+0 1+0 0+1, 2, 2",
    // the turn may overflow
    "0+0 0+0, 9223372036854775807, 1",
  })
  void leastOutstanding(String table, long turn, int expected) {
    assertThat(new LeastOutstanding().pick(candidates(table), turn)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"9+9 0+0, 0, 0", "9+9 0+0, 1, 1", "9+9 0+0, 2, 0", "0+0 0+0 0+0, 5, 2"})
  void roundRobin(String table, long turn, int expected) {
    assertThat(new RoundRobin().pick(candidates(table), turn)).isEqualTo(expected);
  }

  @Test
  void policiesAreFoundByName() {
    assertThat(Policies.names()).containsExactly("least-outstanding", "round-robin");
    assertThat(Policies.names()).allMatch(name -> Policies.byName(name).isPresent());
    assertThat(Policies.byName("random")).isEmpty();
  }
}
