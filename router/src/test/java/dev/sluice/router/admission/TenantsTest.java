package dev.sluice.router.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Accounts of tenants, and how they change under those that use them. */
final class TenantsTest {
  private final AtomicLong clock = new AtomicLong();

  private static TenantOptions limits(String... requestsPerMinute) {
    return new TenantOptions(List.of("gold=4"), List.of(requestsPerMinute), List.of());
  }

  @Test
  void newLimitsHoldForTenantsThatAreKnown() {
    Tenants tenants = new Tenants(limits(), Duration.ofSeconds(10), clock::get);
    assertThat(tenants.of("a").tryEnter(1)).isEmpty();
    assertThat(tenants.of("a").isLimited()).isFalse();

    tenants.change(limits("a=6")); // one in ten seconds
    assertThat(tenants.of("a").tryEnter(1)).isEmpty();
    assertThat(tenants.of("a").tryEnter(1)).isPresent();
    assertThat(tenants.of("b").isLimited()).isFalse();

    tenants.change(limits());
    assertThat(tenants.of("a").tryEnter(1)).isEmpty();
  }

  @Test
  void whoeverIsNotConcernedKeepsTheAccount() {
    Tenants tenants = new Tenants(limits("a=6"), Duration.ofSeconds(10), clock::get);
    Tenant before = tenants.of("a");
    assertThat(before.tryEnter(1)).isEmpty();
    tenants.change(limits("a=6", "b=1"));
    assertThat(tenants.of("a")).isSameAs(before);
    assertThat(tenants.of("a").tryEnter(1)).as("a limit that has not changed").isPresent();
  }

  @Test
  void aLimitThatStaysIsAsUsedUpAsBefore() {
    Tenants tenants = new Tenants(limits("a=6"), Duration.ofSeconds(10), clock::get);
    assertThat(tenants.of("a").tryEnter(1)).isEmpty();

    tenants.change(new TenantOptions(List.of("a=2"), List.of("a=6"), List.of()));
    assertThat(tenants.of("a").weight()).isEqualTo(2);
    assertThat(tenants.of("a").tryEnter(1)).as("requests, after a change of weight").isPresent();

    tenants.change(new TenantOptions(List.of("a=2"), List.of("a=6"), List.of("a=60")));
    assertThat(tenants.of("a").tryEnter(1)).as("requests, after tokens got a limit").isPresent();
    tenants.of("a").spend(1_000);

    tenants.change(new TenantOptions(List.of("a=2"), List.of(), List.of("a=60")));
    assertThat(tenants.of("a").tryEnter(1)).as("tokens, without a limit of requests").isPresent();
  }

  @Test
  void whatIsKnownOfATenantStays() {
    Tenants tenants = new Tenants(limits(), Duration.ofSeconds(10), clock::get);
    tenants.of("a").completed(100);
    tenants.of("a").prefilled(10, 5);
    tenants.change(new TenantOptions(List.of("a=2"), List.of(), List.of()));
    assertThat(tenants.of("a").weight()).isEqualTo(2);
    assertThat(tenants.of("a").outputMean()).isEqualTo(100);
    assertThat(tenants.of("a").cachedPart()).isPositive();
  }
}
