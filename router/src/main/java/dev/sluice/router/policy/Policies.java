package dev.sluice.router.policy;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;

/** The routing policies by name. */
public final class Policies {
  public static final String DEFAULT = "cost";

  private static final Map<String, Supplier<RoutingPolicy>> BY_NAME =
      new TreeMap<>(
          Map.of(
              DEFAULT,
              Cost::new,
              "least-outstanding",
              LeastOutstanding::new,
              "power-of-two",
              PowerOfTwo::new,
              "prefix-hash",
              () -> new AffinityHash(Affinity::prefix),
              "random",
              RandomChoice::new,
              "round-robin",
              RoundRobin::new,
              "session",
              () -> new AffinityHash(Affinity::session)));

  private Policies() {}

  public static Optional<RoutingPolicy> byName(String name) {
    return Optional.ofNullable(BY_NAME.get(name)).map(Supplier::get);
  }

  public static Set<String> names() {
    return new TreeSet<>(BY_NAME.keySet());
  }
}
