package dev.sluice.router.edge;

import dev.sluice.common.server.ErrorInterceptor;
import dev.sluice.common.server.LogContextInterceptor;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * The router's GenerationService for its own edges: the same methods, with the same flow control,
 * deadlines and cancellation, without a socket in between.
 *
 * <p>Threading: thread-safe. The service's callbacks run on virtual threads, as those of the gRPC
 * server do.
 */
public final class LocalGeneration implements AutoCloseable {
  private static final Duration LAST_WORD = Duration.ofSeconds(1);

  private final ExecutorService handlers;
  private final Server server;
  private final ManagedChannel channel;

  private LocalGeneration(ServerServiceDefinition service) {
    String name = InProcessServerBuilder.generateName();
    handlers =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("edge-call-", 0).factory());
    try {
      server =
          InProcessServerBuilder.forName(name)
              .executor(handlers)
              .addService(service)
              .intercept(new ErrorInterceptor())
              .intercept(new LogContextInterceptor())
              .build()
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot be: the name is new", e);
    }
    channel = InProcessChannelBuilder.forName(name).directExecutor().build();
  }

  /** Serves the methods of {@code service}; close it when the edges are closed. */
  public static LocalGeneration start(ServerServiceDefinition service) {
    return new LocalGeneration(service);
  }

  /** Calls on it need an executor of their own, unless their callbacks never wait. */
  public Channel channel() {
    return channel;
  }

  /** Ends what still runs. */
  @Override
  public void close() {
    channel.shutdownNow();
    server.shutdownNow();
    try {
      server.awaitTermination(LAST_WORD.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    handlers.shutdownNow();
  }
}
