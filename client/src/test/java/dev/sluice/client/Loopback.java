package dev.sluice.client;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Fake services behind a real socket. */
final class Loopback {
  private Loopback() {}

  /**
   * Lets a service listen.
   *
   * @param port 0: any free one
   */
  static Server serve(BindableService service, int port) {
    try {
      return NettyServerBuilder.forAddress(
              new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
          .addService(service)
          .build()
          .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String target(Server server) {
    return "localhost:" + server.getPort();
  }

  /** Breaks all connections. */
  static void kill(Server server) {
    try {
      server.shutdownNow().awaitTermination();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
