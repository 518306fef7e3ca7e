package dev.sluice.router.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.router.fleet.Charged;
import dev.sluice.router.fleet.Foreign;
import dev.sluice.router.fleet.WorkerAddress;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.testing.Links;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
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
                  1,
                  new Foreign(Integer.parseInt(parts[1]), 0, 0),
                  Links.to(address)),
              new Charged(Integer.parseInt(parts[0]), 0, 0),
              0));
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
    assertThat(new LeastOutstanding().pick(candidates(table), Affinity.NONE, turn))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"9+9 0+0, 0, 0", "9+9 0+0, 1, 1", "9+9 0+0, 2, 0", "0+0 0+0 0+0, 5, 2"})
  void roundRobin(String table, long turn, int expected) {
    assertThat(new RoundRobin().pick(candidates(table), Affinity.NONE, turn)).isEqualTo(expected);
  }

  @Test
  void policiesAreFoundByName() {
    assertThat(Policies.names())
        .containsExactly(
            "cost",
            "least-outstanding",
            "power-of-two",
            "prefix-hash",
            "random",
            "round-robin",
            "session");
    assertThat(Policies.names()).allMatch(name -> Policies.byName(name).isPresent());
    assertThat(Policies.byName("fastest")).isEmpty();
  }

  @Test
  void everyPolicyPicksOneOfThoseThereAre() {
    Affinity both = new Affinity(OptionalLong.of(5), OptionalLong.of(6));
    for (String name : Policies.names()) {
      RoutingPolicy policy = Policies.byName(name).orElseThrow();
      for (String table : List.of("0+0", "9+9", "0+0 0+0", "7+0 0+7 0+0", "90+0 91+0 92+0 1+0")) {
        List<Candidate> candidates = candidates(table);
        for (long turn : new long[] {0, 1, 2, 77, -1, Long.MAX_VALUE, Long.MIN_VALUE}) {
          for (Affinity affinity : List.of(Affinity.NONE, both)) {
            int pick = policy.pick(candidates, affinity, turn);
            assertThat(pick).describedAs(name).isBetween(0, candidates.size() - 1);
            assertThat(policy.pick(candidates, affinity, turn)).isEqualTo(pick); // pure
          }
        }
      }
    }
  }

  @Test
  void randomIsEven() {
    List<Candidate> candidates = candidates("9+9 0+0 1+0 5+5");
    int[] picks = new int[4];
    for (long turn = 0; turn < 10_000; turn++) {
      picks[new RandomChoice().pick(candidates, Affinity.NONE, turn)]++;
    }
    for (int count : picks) {
      assertThat(count).isBetween(2_300, 2_700);
    }
  }

  @Test
  void powerOfTwoNeverTakesTheBusiestAndTriesAllPairs() {
    List<Candidate> candidates = candidates("9+0 3+0 2+0 1+0");
    int[] picks = new int[4];
    for (long turn = 0; turn < 12_000; turn++) {
      picks[new PowerOfTwo().pick(candidates, Affinity.NONE, turn)]++;
    }
    // 6 pairs: the least busy wins its 3, the next 2, the next 1, the busiest none
    assertThat(picks[0]).isZero();
    assertThat(picks[1]).isBetween(1_800, 2_200);
    assertThat(picks[2]).isBetween(3_700, 4_300);
    assertThat(picks[3]).isBetween(5_600, 6_400);
  }

  private static Affinity prefix(long hash) {
    return new Affinity(OptionalLong.empty(), OptionalLong.of(hash));
  }

  @Test
  void aPrefixStaysWhereItIsWhenOthersComeAndGo() {
    List<Candidate> four = candidates("0+0 0+0 0+0 0+0");
    int[] picks = new int[4];
    int moved = 0;
    for (long key = 0; key < 8_000; key++) {
      int pick = new AffinityHash(Affinity::prefix).pick(four, prefix(key), key);
      picks[pick]++;
      int without = new AffinityHash(Affinity::prefix).pick(four.subList(0, 3), prefix(key), 0);
      if (without != pick) {
        moved++;
        assertThat(pick).isEqualTo(3); // only those of the one that left
      }
    }
    assertThat(moved).isEqualTo(picks[3]);
    for (int count : picks) {
      assertThat(count).isBetween(1_800, 2_200);
    }
  }

  @Test
  void aPopularPrefixOverflowsToItsNextWorker() {
    List<Candidate> idle = candidates("0+0 0+0 0+0 0+0");
    int home = new AffinityHash(Affinity::prefix).pick(idle, prefix(42), 0);
    String[] loads = {"10+0", "10+0", "10+0", "10+0"};
    loads[home] = "14+0"; // 45 with this one, 11.25 each; room for 1.25 times that, rounded up: 15
    assertThat(
            new AffinityHash(Affinity::prefix)
                .pick(candidates(String.join(" ", loads)), prefix(42), 0))
        .isEqualTo(home);
    loads[home] = "15+0";
    int next =
        new AffinityHash(Affinity::prefix).pick(candidates(String.join(" ", loads)), prefix(42), 0);
    assertThat(next).isNotEqualTo(home);
    // a little more than the others is no reason to leave
    String[] few = {"0+0", "0+0", "0+0", "0+0"};
    few[home] = "3+0";
    assertThat(
            new AffinityHash(Affinity::prefix)
                .pick(candidates(String.join(" ", few)), prefix(42), 0))
        .isEqualTo(home);
  }

  @Test
  void aSessionStaysAndOthersGoWhereItIsQuiet() {
    List<Candidate> candidates = candidates("3+0 2+0 1+0");
    Affinity session = new Affinity(OptionalLong.of(9), OptionalLong.of(1));
    Affinity same = new Affinity(OptionalLong.of(9), OptionalLong.of(2));
    int home = new AffinityHash(Affinity::session).pick(candidates, session, 0);
    assertThat(new AffinityHash(Affinity::session).pick(candidates, same, 1)).isEqualTo(home);
    assertThat(new AffinityHash(Affinity::session).pick(candidates, prefix(3), 0)).isEqualTo(2);
    assertThat(new AffinityHash(Affinity::prefix).pick(candidates, Affinity.NONE, 0)).isEqualTo(2);
  }
}
