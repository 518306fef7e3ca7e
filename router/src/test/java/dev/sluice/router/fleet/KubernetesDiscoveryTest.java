package dev.sluice.router.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.router.testing.ManualLoop;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Workers that come and go by EndpointSlices, against the client library's mock API server. */
@Timeout(60)
@EnableKubernetesMockClient(crud = true, https = false)
class KubernetesDiscoveryTest {
  private static final String SERVICE = "kubernetes.io/service-name";

  @SuppressWarnings("NullAway.Init") // set by the extension
  KubernetesMockServer server;

  private final ManualLoop loop = new ManualLoop();
  private Set<WorkerAddress> found = Set.of();
  private Subscription search = () -> {};

  @AfterEach
  void close() {
    search.close();
  }

  private void start(String source) {
    KubernetesDiscovery discovery =
        new KubernetesDiscovery(
            (WorkerSource.Kubernetes) WorkerSource.parse(source),
            loop,
            server::createClient,
            Thread::startVirtualThread);
    assertThat(discovery.source()).isEqualTo(source);
    search = discovery.start(addresses -> found = addresses);
  }

  private static Set<WorkerAddress> addresses(String... addresses) {
    return Set.of(addresses).stream()
        .map(WorkerAddress::parse)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private void awaitFound(String... addresses) {
    Set<WorkerAddress> expected = addresses(addresses);
    loop.runUntil(() -> found.equals(expected));
  }

  private static EndpointSliceBuilder slice(String name, String service, String family) {
    return new EndpointSliceBuilder()
        .withNewMetadata()
        .withName(name)
        .withNamespace("llm")
        .addToLabels(SERVICE, service)
        .endMetadata()
        .withAddressType(family)
        .addNewPort()
        .withName("metrics")
        .withPort(9464)
        .endPort()
        .addNewPort()
        .withName("grpc")
        .withPort(9091)
        .endPort();
  }

  private static EndpointSliceBuilder endpoint(
      EndpointSliceBuilder slice, String address, boolean ready) {
    return slice
        .addNewEndpoint()
        .withAddresses(address)
        .withNewConditions()
        .withReady(ready)
        .endConditions()
        .endEndpoint();
  }

  @Test
  void readyEndpointsComeAndGo() {
    try (KubernetesClient operator = server.createClient()) {
      EndpointSlice first =
          endpoint(
                  endpoint(slice("workers-1", "workers", "IPv4"), "10.0.0.1", true),
                  "10.0.0.2",
                  false)
              .build();
      operator.resource(first).create();
      operator
          .resource(endpoint(slice("other", "routers", "IPv4"), "10.0.0.9", true).build())
          .create();
      start("kubernetes:///workers.llm:grpc");
      awaitFound("10.0.0.1:9091");

      EndpointSlice second =
          endpoint(slice("workers-2", "workers", "IPv4"), "10.0.0.3", true).build();
      operator.resource(second).create();
      awaitFound("10.0.0.1:9091", "10.0.0.3:9091");

      operator
          .resource(
              endpoint(
                      endpoint(slice("workers-1", "workers", "IPv4"), "10.0.0.1", false),
                      "10.0.0.2",
                      true)
                  .build())
          .update();
      awaitFound("10.0.0.2:9091", "10.0.0.3:9091");

      operator.resource(second).delete();
      awaitFound("10.0.0.2:9091");
    }
  }

  @Test
  void aPortMayBeANumberAndAServiceOfTwoFamiliesHasEachWorkerOnce() {
    try (KubernetesClient operator = server.createClient()) {
      operator.resource(endpoint(slice("six", "dual", "IPv6"), "fd00::1", true).build()).create();
      operator.resource(endpoint(slice("four", "dual", "IPv4"), "10.0.0.1", true).build()).create();
      start("kubernetes:///dual.llm:9099");
      awaitFound("10.0.0.1:9099");

      // The mock server hangs if a watch is closed while it still sends what there was when the
      // watch began; what happens once the watch is seen to work comes behind all that.
      EndpointSlice more = endpoint(slice("four-2", "dual", "IPv4"), "10.0.0.2", true).build();
      operator.resource(more).create();
      awaitFound("10.0.0.1:9099", "10.0.0.2:9099");
      operator.resource(more).delete();
      awaitFound("10.0.0.1:9099");
    }
  }
}
