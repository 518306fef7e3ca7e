package dev.sluice.app.cli;

import dev.sluice.client.RetryPolicy;
import dev.sluice.client.SluiceClient;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a command connects to. */
public final class ServerOptions {
  /** Where a router listens unless told otherwise. */
  public static final String DEFAULT_TARGET = "localhost:9090";

  @Option(
      names = "--target",
      paramLabel = "HOST:PORT",
      description = {
        "The router, or a worker. Several routers with commas between: a stream whose router is",
        "lost goes on at another one. Default: ${DEFAULT-VALUE}."
      })
  private String target = DEFAULT_TARGET;

  @Option(
      names = "--timeout",
      paramLabel = "DURATION",
      description = "Deadline of each call, such as 500ms or 30s. Default: none.")
  private @Nullable Duration timeout;

  /** Deadline of each call; empty: none. */
  public Optional<Duration> timeout() {
    return Optional.ofNullable(timeout);
  }

  public SluiceClient connect() {
    return connect(RetryPolicy.DEFAULTS);
  }

  /** As {@link #connect()}, with another word on what is done when a router is lost or busy. */
  public SluiceClient connect(RetryPolicy retry) {
    SluiceClient.Builder builder = SluiceClient.builder(target).retry(retry);
    timeout().ifPresent(builder::timeout);
    return builder.build();
  }
}
