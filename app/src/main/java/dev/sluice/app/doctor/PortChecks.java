package dev.sluice.app.doctor;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Whether the usual ports are free. */
final class PortChecks {
  /** Who listens there unless told otherwise, by port. */
  static final Map<Integer, String> USUAL =
      Map.of(
          9090, "router, gRPC",
          8080, "router, HTTP",
          9091, "worker, gRPC",
          9464, "router, metrics",
          9465, "worker, metrics");

  private PortChecks() {}

  /** A port in use is no problem: perhaps Sluice uses it, and each can be chosen. */
  static Finding ports(Map<Integer, String> ports) {
    List<String> taken = new ArrayList<>();
    List<String> free = new ArrayList<>();
    new TreeMap<>(ports)
        .forEach((port, use) -> {
          if (isFree(port)) {
            free.add(Integer.toString(port));
          } else {
            taken.add(port + " (" + use + ")");
          }
        });
    return taken.isEmpty()
        ? Finding.ok("ports", "free: " + String.join(", ", free))
        : Finding.warning(
            "ports",
            "in use: " + String.join(", ", taken),
            "if that is not Sluice, choose others: --port, --http-port, --telemetry.metrics-port");
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1);
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
