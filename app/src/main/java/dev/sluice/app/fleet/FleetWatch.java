package dev.sluice.app.fleet;

import dev.sluice.client.SluiceClient;
import dev.sluice.v1.FleetServiceGrpc;
import dev.sluice.v1.FleetWorker;
import dev.sluice.v1.WatchFleetRequest;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * What a router tells about its workers, as it changes. Asks again when the stream ends.
 *
 * <p>Threading: one virtual thread reads and calls the listener; close from any thread.
 */
final class FleetWatch implements AutoCloseable {
  private static final Duration RETRY_DELAY = Duration.ofMillis(500);

  private final SluiceClient client;
  private final Consumer<List<FleetWorker>> listener;
  private final CountDownLatch closing = new CountDownLatch(1);

  private FleetWatch(SluiceClient client, Consumer<List<FleetWorker>> listener) {
    this.client = client;
    this.listener = listener;
  }

  static FleetWatch start(String target, Consumer<List<FleetWorker>> listener) {
    FleetWatch watch = new FleetWatch(SluiceClient.create(target), listener);
    Thread.ofVirtual().name("watch-fleet").start(watch::run);
    return watch;
  }

  private void run() {
    try {
      do {
        read();
      } while (!closing.await(RETRY_DELAY.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void read() {
    try {
      FleetServiceGrpc.newBlockingStub(client.channel())
          .watchFleet(WatchFleetRequest.getDefaultInstance())
          .forEachRemaining(response -> listener.accept(response.getWorkersList()));
    } catch (StatusRuntimeException e) {
      // The router is gone or going: whoever started it knows, and we ask again until told to stop.
      if (closing.getCount() > 0) {
        listener.accept(List.of());
      }
    }
  }

  @Override
  public void close() {
    closing.countDown();
    client.close();
  }
}
