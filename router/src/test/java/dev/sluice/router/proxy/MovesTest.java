package dev.sluice.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.router.fleet.Foreign;
import dev.sluice.router.fleet.WorkerAddress;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.testing.Links;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MovesTest {
  private static final long SECOND = 1_000_000_000;
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final WorkerView a = worker(1);
  private final WorkerView b = worker(2);

  private static WorkerView worker(int port) {
    WorkerAddress address = new WorkerAddress("w", port);
    return new WorkerView(
        address, WorkerStatus.READY, "", Optional.empty(), 1, Foreign.NONE, Links.to(address));
  }

  private static Failure failure(FailureKind kind) {
    return new Failure("w", kind, Status.UNAVAILABLE, new Metadata());
  }

  private static Moves moves(int percent) {
    return new Moves(new RetryBudget(percent), 4);
  }

  @Test
  void theBudgetGrowsWithRequestsAndIsSpentByMoves() {
    RetryBudget budget = new RetryBudget(20);
    for (int i = 0; i < 10; i++) {
      assertThat(budget.tryMove()).isTrue(); // what it starts with
    }
    assertThat(budget.tryMove()).isFalse();
    for (int i = 0; i < 5; i++) {
      budget.request();
    }
    assertThat(budget.tryMove()).isTrue();
    assertThat(budget.tryMove()).isFalse();
    for (int i = 0; i < 100_000; i++) {
      budget.request();
    }
    int saved = 0;
    while (budget.tryMove()) {
      saved++;
    }
    assertThat(saved).isEqualTo(100); // an hour without failures is no licence for a storm
  }

  @Test
  void theFirstMoveIsFreeAndSoIsOneOffAWorkerThatBroughtSomething() {
    RetryBudget empty = new RetryBudget(0);
    while (empty.tryMove()) {
      // spent
    }
    Moves moves = new Moves(empty, 4);
    moves.dispatched(a, 0);
    assertThat(moves.lost(a, failure(FailureKind.UNREACHABLE), false, 1))
        .isEqualTo(new Moves.Next.MoveOn());
    moves.dispatched(b, 1);
    moves.arrived(false, 1);
    assertThat(moves.lost(b, failure(FailureKind.DRAINED), true, 1))
        .isEqualTo(new Moves.Next.MoveOn());
    moves.dispatched(a, 1);
    assertThat(moves.lost(a, failure(FailureKind.UNREACHABLE), false, 1))
        .isEqualTo(new Moves.Next.Stop("retry budget used up"));
  }

  @Test
  void roomIsLookedForWithinTheBudget() {
    RetryBudget empty = new RetryBudget(0);
    while (empty.tryMove()) {
      // spent
    }
    Moves moves = new Moves(empty, 4);
    moves.dispatched(a, 0);
    assertThat(moves.lost(a, failure(FailureKind.BUSY), false, 0))
        .isEqualTo(new Moves.Next.Stop("retry budget used up"));
  }

  @Test
  void attemptsThatBringNothingAreCounted() {
    Moves moves = moves(20);
    for (int i = 0; i < 3; i++) {
      moves.dispatched(a, 0);
      assertThat(moves.lost(a, failure(FailureKind.DRAINED), false, 0))
          .isEqualTo(new Moves.Next.MoveOn());
    }
    moves.arrived(false, 0);
    assertThat(moves.lost(a, failure(FailureKind.DRAINED), true, 0))
        .isEqualTo(new Moves.Next.MoveOn());
    for (int i = 0; i < 3; i++) {
      assertThat(moves.lost(a, failure(FailureKind.DRAINED), false, 0))
          .isEqualTo(new Moves.Next.MoveOn());
    }
    assertThat(moves.lost(a, failure(FailureKind.DRAINED), false, 0))
        .isEqualTo(new Moves.Next.Stop("attempt limit reached"));
  }

  @Test
  void onlyDeathsCountAgainstTheRequest() {
    Moves moves = moves(20);
    for (FailureKind kind :
        new FailureKind[] {FailureKind.STALLED, FailureKind.DRAINED, FailureKind.UNREACHABLE}) {
      moves.dispatched(a, 0);
      moves.arrived(true, 0);
      assertThat(moves.lost(a, failure(kind), true, 1)).isEqualTo(new Moves.Next.MoveOn());
    }
    moves.dispatched(a, 0);
    assertThat(moves.lost(a, failure(FailureKind.DIED), true, 1))
        .isEqualTo(new Moves.Next.MoveOn());
    moves.dispatched(a, 0);
    assertThat(moves.lost(a, failure(FailureKind.DIED), true, 3 * SECOND))
        .isEqualTo(new Moves.Next.MoveOn()); // the second, but only one was quick
    moves.dispatched(a, 0);
    assertThat(moves.lost(a, failure(FailureKind.DIED), true, 3 * SECOND))
        .isEqualTo(new Moves.Next.KillsWorkers());
  }

  @Test
  void waitsForTheResumeTimeoutFromTheLossOn() {
    Moves moves = moves(20);
    assertThat(moves.patience(TIMEOUT, false, 0)).isZero();
    moves.dispatched(a, 0);
    moves.arrived(false, SECOND);
    moves.lost(a, failure(FailureKind.DIED), true, 5 * SECOND);
    assertThat(moves.patience(TIMEOUT, true, 7 * SECOND)).isEqualTo(Duration.ofSeconds(28));
    moves.dispatched(b, 8 * SECOND);
    moves.lost(b, failure(FailureKind.UNREACHABLE), false, 9 * SECOND); // still the same loss
    assertThat(moves.patience(TIMEOUT, true, 9 * SECOND)).isEqualTo(Duration.ofSeconds(26));
    moves.dispatched(a, 10 * SECOND);
    moves.arrived(true, 11 * SECOND);
    assertThat(moves.resumes()).isEqualTo(1);
    assertThat(moves.interruptedNanos()).isEqualTo(5 * SECOND);
    assertThat(moves.recoveringNanos()).isEqualTo(6 * SECOND);
    assertThat(moves.catchingUpNanos()).isEqualTo(SECOND);
  }

  @Test
  void timeAtAWorkerThatBringsNothingIsAnInterruption() {
    Moves moves = moves(20);
    moves.dispatched(a, 3 * SECOND);
    moves.lost(a, failure(FailureKind.STALLED), false, 7 * SECOND);
    moves.dispatched(b, 8 * SECOND);
    moves.arrived(false, 9 * SECOND);
    assertThat(moves.interruptedNanos()).isEqualTo(5 * SECOND);
    assertThat(moves.resumes()).isZero();
    assertThat(moves.recoveringNanos()).isZero();
  }

  @Test
  void whatAWorkerInTheMiddleComputedAgainCounts() {
    Moves moves = moves(20);
    moves.dispatched(a, 0);
    moves.arrived(false, SECOND);
    moves.lost(a, failure(FailureKind.DRAINED), true, 10 * SECOND);
    moves.dispatched(b, 11 * SECOND);
    moves.arrived(true, 14 * SECOND);
    moves.lost(b, failure(FailureKind.DRAINED), true, 20 * SECOND);
    moves.dispatched(a, 22 * SECOND);
    moves.arrived(true, 27 * SECOND);
    assertThat(moves.interruptedNanos()).isEqualTo(3 * SECOND);
    assertThat(moves.recoveringNanos()).isEqualTo(11 * SECOND);
    assertThat(moves.catchingUpNanos()).isEqualTo(8 * SECOND);
  }

  @Test
  void oneThatWasFullIsAskedAgainAfterAPauseThatGrows() {
    Moves moves = moves(20);
    moves.dispatched(a, 0);
    moves.lost(a, failure(FailureKind.DIED), false, 0);
    long now = 0;
    for (int millis : new int[] {100, 200, 400, 800, 1_600, 2_000, 2_000}) {
      moves.dispatched(b, now);
      assertThat(moves.lost(b, failure(FailureKind.BUSY), false, now))
          .isEqualTo(new Moves.Next.MoveOn());
      assertThat(moves.pause(now)).contains(Duration.ofMillis(millis));
      moves.waited(now + millis * 1_000_000L - 1);
      assertThat(moves.tried().contains(b)).isTrue();
      now += millis * 1_000_000L;
      moves.waited(now);
      assertThat(moves.tried().contains(b)).isFalse();
      assertThat(moves.tried().contains(a)).isTrue();
    }
  }

  @Test
  void aWorkerIsTriedAgainOnceItHasComeBackOrNobodyElseIsLeft() {
    Moves moves = moves(20);
    moves.dispatched(a, 0);
    WorkerView back =
        new WorkerView(a.address(), a.status(), "", a.report(), 2, Foreign.NONE, a.link());
    assertThat(moves.tried().contains(a)).isTrue();
    assertThat(moves.tried().contains(back)).isFalse();
    moves.lost(a, failure(FailureKind.DRAINED), false, 0);
    assertThat(moves.forgive()).isFalse(); // it has come no further
    moves.dispatched(b, 0);
    moves.lost(b, failure(FailureKind.DRAINED), true, 0);
    assertThat(moves.forgive()).isTrue();
    assertThat(moves.tried().contains(a)).isFalse();
    assertThat(moves.tried().contains(b)).isTrue(); // never the same at once
    assertThat(moves.forgive()).isFalse();
  }
}
