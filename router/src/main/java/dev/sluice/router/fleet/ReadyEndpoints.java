package dev.sluice.router.fleet;

import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointConditions;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads the addresses of workers from the EndpointSlices of a service. */
final class ReadyEndpoints {
  private static final String IPV4 = "IPv4";

  private ReadyEndpoints() {}

  /**
   * The endpoints that are ready. Of a service with addresses of two families only one counts: its
   * workers would else be there twice.
   *
   * @param port name of a port of the slices, or a number
   */
  static Set<WorkerAddress> of(List<EndpointSlice> slices, String port) {
    boolean v4 = slices.stream().anyMatch(slice -> IPV4.equals(slice.getAddressType()));
    Set<WorkerAddress> addresses = new TreeSet<>();
    for (EndpointSlice slice : slices) {
      OptionalInt number = number(slice, port);
      if (number.isPresent() && (!v4 || IPV4.equals(slice.getAddressType()))) {
        for (Endpoint endpoint : nonNull(slice.getEndpoints())) {
          if (isReady(endpoint.getConditions())) {
            for (String host : nonNull(endpoint.getAddresses())) {
              addresses.add(new WorkerAddress(host, number.getAsInt()));
            }
          }
        }
      }
    }
    return addresses;
  }

  private static OptionalInt number(EndpointSlice slice, String port) {
    if (port.chars().allMatch(Character::isDigit)) {
      return OptionalInt.of(Integer.parseInt(port));
    }
    return nonNull(slice.getPorts()).stream()
        .filter(p -> port.equals(p.getName()) && p.getPort() != null)
        .mapToInt(EndpointPort::getPort)
        .findFirst();
  }

  /** What is not known counts as ready, as the API says. */
  private static boolean isReady(@Nullable EndpointConditions conditions) {
    return conditions == null || !Objects.equals(conditions.getReady(), false);
  }

  private static <T> List<T> nonNull(@Nullable List<T> list) {
    return list == null ? List.of() : list;
  }
}
