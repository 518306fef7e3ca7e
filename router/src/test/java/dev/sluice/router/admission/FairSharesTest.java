package dev.sluice.router.admission;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What tenants get of two simulated workers that have less room than is asked for. */
class FairSharesTest {
  private static final List<String> WEIGHTS =
      List.of("t0=1", "t1=1", "t2=2", "t3=2", "t4=3", "t5=3", "t6=4", "t7=4", "t8=5", "t9=5");

  private static double weight(int tenant) {
    return 1 + tenant / 2;
  }

  @Test
  void tenTenantsGetTheirWeightsInTokensHoweverMuchEachHasQueued() {
    SimulatedService service = new SimulatedService(WEIGHTS, 11);
    for (int i = 0; i < 300; i++) {
      for (int tenant = 0; tenant < 10; tenant++) {
        // From short questions with long answers to long documents with short ones.
        service.submit("t" + tenant, 0, 32 + 40 * tenant, 220 - 20 * tenant);
      }
    }
    for (int i = 0; i < 2_700; i++) {
      service.submit("t3", 0, 32 + 40 * 3, 220 - 20 * 3); // ten times as much
    }
    service.runWhileAllWait();

    double tokens = service.served().values().stream().mapToLong(Long::longValue).sum();
    assertThat(tokens).isGreaterThan(400_000);
    for (int tenant = 0; tenant < 10; tenant++) {
      assertThat(requireNonNull(service.served().get("t" + tenant)) / tokens)
          .as("t%d", tenant)
          .isCloseTo(weight(tenant) / 30, withPercentage(5));
    }
  }

  @Test
  void aTenantThatComesIsServedAtOnceAndAHigherClassBeforeAll() {
    SimulatedService service = new SimulatedService(List.of(), 3);
    for (int i = 0; i < 500; i++) {
      service.submit("busy", 0, 400, 50);
    }
    service.run(5_000);
    SimulatedService.Request newcomer = service.submit("newcomer", 0, 400, 50);
    SimulatedService.Request urgent = service.submit("busy", 1, 400, 50);
    service.run(2_000);
    assertThat(urgent.waited()).isLessThan(Duration.ofMillis(200));
    assertThat(newcomer.waited()).isLessThan(Duration.ofMillis(400));
    assertThat(service.queued("busy")).isGreaterThan(300);
  }

  @Test
  void aTenantAloneGetsEverything() {
    SimulatedService service = new SimulatedService(WEIGHTS, 5);
    for (int i = 0; i < 200; i++) {
      service.submit("t0", 0, 100, 20);
    }
    service.run(60_000);
    assertThat(service.served().get("t0")).isBetween(200 * 100L, 200 * 140L);
    assertThat(service.queued("t0")).isZero();
  }
}
