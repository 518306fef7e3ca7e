package dev.sluice.router.fleet;

/** Where a worker listens. */
public record WorkerAddress(String host, int port) implements Comparable<WorkerAddress> {
  private static final int MAX_PORT = 65_535;

  /** Reads {@code host:port}; an IPv6 address is in brackets: {@code [::1]:9091}. */
  public static WorkerAddress parse(String text) {
    int colon = text.lastIndexOf(':');
    if (colon > 0) {
      String host = text.substring(0, colon);
      boolean bracketed = host.startsWith("[") && host.endsWith("]");
      String digits = text.substring(colon + 1);
      if ((bracketed || host.indexOf(':') < 0) && isPort(digits)) {
        return new WorkerAddress(
            bracketed ? host.substring(1, host.length() - 1) : host, Integer.parseInt(digits));
      }
    }
    throw new IllegalArgumentException(
        text + " (expected: host:port with a port from 1 to 65535, such as 127.0.0.1:9091)");
  }

  /** Whether the text is a number from 1 to 65535. */
  static boolean isPort(String digits) {
    if (!digits.matches("[0-9]{1,5}")) {
      return false;
    }
    int port = Integer.parseInt(digits);
    return port >= 1 && port <= MAX_PORT;
  }

  @Override
  public int compareTo(WorkerAddress other) {
    int byHost = host.compareTo(other.host);
    return byHost != 0 ? byHost : Integer.compare(port, other.port);
  }

  @Override
  public String toString() {
    return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
  }
}
