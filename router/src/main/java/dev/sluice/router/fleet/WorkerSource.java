package dev.sluice.router.fleet;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where workers come from: one entry of the configuration. */
public sealed interface WorkerSource {
  /** One worker, which is always expected. */
  record Fixed(WorkerAddress address) implements WorkerSource {}

  /** All addresses of a name, such as that of a headless service. */
  record Dns(String host, int port) implements WorkerSource {
    @Override
    public String toString() {
      return DNS_PREFIX + new WorkerAddress(host, port);
    }
  }

  /**
   * The ready endpoints of a Kubernetes service.
   *
   * @param namespace empty for the one that this process runs in
   * @param port name or number of a port of the service's endpoints
   */
  record Kubernetes(String service, String namespace, String port) implements WorkerSource {
    @Override
    public String toString() {
      return KUBERNETES_PREFIX
          + service
          + (namespace.isEmpty() ? "" : "." + namespace)
          + ":"
          + port;
    }
  }

  String DNS_PREFIX = "dns:///";
  String KUBERNETES_PREFIX = "kubernetes:///";

  /** {@code service.namespace:port}; the names are DNS labels. */
  Pattern SERVICE =
      Pattern.compile(
          "([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)(?:\\.([a-z0-9](?:[-a-z0-9]*[a-z0-9])?))?:([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)");

  /**
   * Reads {@code host:port}, {@code dns:///host:port} or {@code
   * kubernetes:///service.namespace:port}, where the namespace may be left out.
   */
  static WorkerSource parse(String text) {
    if (text.startsWith(DNS_PREFIX)) {
      WorkerAddress name = WorkerAddress.parse(text.substring(DNS_PREFIX.length()));
      return new Dns(name.host(), name.port());
    }
    if (text.startsWith(KUBERNETES_PREFIX)) {
      Matcher service = SERVICE.matcher(text.substring(KUBERNETES_PREFIX.length()));
      if (service.matches()) {
        String namespace = service.group(2);
        String port = service.group(3);
        if (port.matches("[0-9]+") && !WorkerAddress.isPort(port)) {
          throw new IllegalArgumentException(
              text + " (expected: a port from 1 to 65535, or the name of one)");
        }
        return new Kubernetes(service.group(1), namespace == null ? "" : namespace, port);
      }
      throw new IllegalArgumentException(
          text + " (expected: kubernetes:///service.namespace:port, port a name or a number)");
    }
    return new Fixed(WorkerAddress.parse(text));
  }
}
