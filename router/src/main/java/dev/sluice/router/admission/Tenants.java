package dev.sluice.router.admission;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * The accounts of those tenants that were seen last: their names come from clients, so their number
 * must not. One that is forgotten begins anew when it comes back.
 *
 * <p>Threading: any thread; a lock for a few instructions, once per request.
 */
final class Tenants {
  static final int MOST = 10_000;

  private final Duration burst;
  private final LongSupplier nanoClock;
  private final Map<String, Tenant> known = new Seen(); // guarded by this
  private TenantOptions.Rates rates; // guarded by this

  Tenants(TenantOptions options, Duration burst, LongSupplier nanoClock) {
    this.rates = options.rates();
    this.burst = burst;
    this.nanoClock = nanoClock;
  }

  synchronized Tenant of(String name) {
    return known.computeIfAbsent(name, n -> new Tenant(n, rates, burst, nanoClock));
  }

  /** What tenants get from now on; requests that were let in keep what they were let in with. */
  synchronized void change(TenantOptions options) {
    rates = options.rates();
    known.replaceAll((_, tenant) -> tenant.with(rates, burst));
  }

  synchronized int size() {
    return known.size();
  }

  /** The one that was looked up longest ago comes first. */
  private static final class Seen extends LinkedHashMap<String, Tenant> {
    private static final long serialVersionUID = 1;

    Seen() {
      super(16, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, Tenant> eldest) {
      return size() > MOST;
    }
  }
}
