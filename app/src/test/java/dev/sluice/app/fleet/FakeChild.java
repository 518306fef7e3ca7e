package dev.sluice.app.fleet;

import dev.sluice.common.server.PortFile;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** A process as a fleet's child: MODE PORT PORT_FILE. */
final class FakeChild {
  private FakeChild() {}

  /** Runs until its input ends; {@code fail} never listens, {@code stubborn} does not stop. */
  public static void main(String[] args) throws Exception {
    if (args[0].equals("fail")) {
      System.err.println("model.gguf: too short");
      System.exit(2);
    }
    if (args[0].equals("stubborn")) {
      CountDownLatch never = new CountDownLatch(1);
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(() -> {
                try {
                  never.await();
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
              }));
    }
    try (ServerSocket socket =
        new ServerSocket(Integer.parseInt(args[1]), 1, InetAddress.getLoopbackAddress())) {
      PortFile.write(Path.of(args[2]), Map.of("grpc", socket.getLocalPort()));
      while (System.in.read() >= 0) {}
    }
  }

  /** Its command line. */
  static Supervisor.Command command(String mode, Path directory) {
    return port ->
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx64m",
            "-cp",
            System.getProperty("java.class.path"),
            FakeChild.class.getName(),
            mode,
            Integer.toString(port),
            Child.portFile(directory, "child").toString());
  }
}
