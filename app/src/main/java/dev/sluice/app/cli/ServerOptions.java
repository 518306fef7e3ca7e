package dev.sluice.app.cli;

import dev.sluice.client.RetryPolicy;
import dev.sluice.client.SluiceClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a command connects to. */
public final class ServerOptions {
  /** Where a router listens unless told otherwise. */
  public static final String DEFAULT_TARGET = "localhost:9090";

  private static final String KEY_VARIABLE = "SLUICE_API_KEY";

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

  @Option(names = "--tls", description = "Connects by TLS. The next three turn it on, too.")
  private boolean tls;

  @Option(
      names = "--ca",
      paramLabel = "FILE",
      description = "Authorities of the server's certificate, PEM. Default: the system's.")
  private Optional<Path> authorities = Optional.empty();

  @Option(
      names = "--certificate",
      paramLabel = "FILE",
      description = "Certificate to show, PEM; with --private-key.")
  private Optional<Path> certificate = Optional.empty();

  @Option(
      names = "--private-key",
      paramLabel = "FILE",
      description = "Its key, PKCS#8 in PEM, not encrypted.")
  private Optional<Path> privateKey = Optional.empty();

  @Option(
      names = "--server-name",
      paramLabel = "NAME",
      description = "Name in the server's certificate. Default: the host of --target.")
  private Optional<String> serverName = Optional.empty();

  @Option(
      names = "--api-key-file",
      paramLabel = "FILE",
      description = "File with the key or token to show. Default: what is in SLUICE_API_KEY.")
  private Optional<Path> keyFile = Optional.empty();

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
    secure(builder);
    return builder.build();
  }

  private void secure(SluiceClient.Builder builder) {
    if (certificate.isPresent() != privateKey.isPresent()) {
      throw new UsageException("--certificate and --private-key (expected: both or neither)");
    }
    if (tls) {
      builder.tls();
    }
    serverName.ifPresent(builder::serverName);
    try {
      if (authorities.isPresent()) {
        builder.tls(authorities.get());
      }
      if (certificate.isPresent()) {
        builder.clientCertificate(certificate.get(), privateKey.orElseThrow());
      }
      Optional<String> key =
          keyFile.isPresent()
              ? Optional.of(Files.readString(keyFile.get()).strip())
              : Optional.ofNullable(System.getenv(KEY_VARIABLE)).filter(k -> !k.isBlank());
      key.ifPresent(shown -> builder.key(() -> shown));
    } catch (IOException e) {
      throw new UsageException("cannot be read: " + e.getMessage());
    }
  }
}
