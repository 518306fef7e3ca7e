package dev.sluice.router.fleet;

import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.util.ArrayList;
import java.util.List;

/** Makes of configured sources what a fleet needs. */
public final class Discoveries {
  private Discoveries() {}

  /** The workers that are named one by one. */
  public static List<WorkerAddress> fixed(List<WorkerSource> sources) {
    List<WorkerAddress> addresses = new ArrayList<>();
    for (WorkerSource source : sources) {
      if (source instanceof WorkerSource.Fixed(WorkerAddress address)) {
        addresses.add(address);
      }
    }
    return addresses;
  }

  /** A search in each of the other sources; nothing happens before they are started. */
  public static List<Discovery> searching(
      List<WorkerSource> sources, FleetOptions options, FleetLoop loop) {
    List<Discovery> discoveries = new ArrayList<>();
    for (WorkerSource source : sources) {
      switch (source) {
        case WorkerSource.Fixed _ -> {}
        case WorkerSource.Dns dns -> {
          DnsDiscovery.limitCache(options.dnsRefresh());
          discoveries.add(
              new DnsDiscovery(
                  dns,
                  options.dnsRefresh(),
                  loop,
                  DnsDiscovery.Resolver.ofSystem(),
                  Thread::startVirtualThread));
        }
        case WorkerSource.Kubernetes kubernetes ->
            discoveries.add(
                new KubernetesDiscovery(
                    kubernetes,
                    loop,
                    () -> new KubernetesClientBuilder().build(),
                    Thread::startVirtualThread));
      }
    }
    return discoveries;
  }
}
