package dev.sluice.common.security;

import dev.sluice.common.telemetry.Metrics;
import dev.sluice.v1.GenerateRequest;
import io.grpc.ClientInterceptor;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.Meter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that guards a process: the TLS of its ports, who may use them, and what it shows to
 * others.
 *
 * <p>Threading: {@link #start} and the methods that open something from one thread; what they give
 * is thread-safe.
 */
public final class Security implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Security.class);
  private static final AttributeKey<String> USE = AttributeKey.stringKey("use");

  private final Optional<FileWatch> watch;
  private final Optional<ServerTls> tls;
  private final Optional<Access> access;
  private final List<Shown> shown = new ArrayList<>();

  private record Shown(OwnCertificate certificate, Attributes attributes) {}

  private Security(Optional<FileWatch> watch, Optional<ServerTls> tls, Optional<Access> access) {
    this.watch = watch;
    this.tls = tls;
    this.access = access;
    tls.ifPresent(t -> shown.add(new Shown(t.own(), Attributes.of(USE, "server"))));
  }

  /** Plain text, and nobody is asked. */
  public static Security none() {
    return new Security(Optional.empty(), Optional.empty(), Optional.empty());
  }

  /**
   * Reads all files.
   *
   * @throws SecurityFileException if one cannot be used
   */
  public static Security start(TlsConfig tls, AuthConfig auth) {
    FileWatch watch = new FileWatch();
    try {
      return new Security(
          Optional.of(watch),
          ServerTls.of(tls, watch),
          Authenticator.of(auth, watch)
              .map(a -> new Access(a, new RequestRules(auth.cachePerTenant()))));
    } catch (RuntimeException e) {
      watch.close();
      throw e;
    }
  }

  /** TLS of the ports, if they have it. */
  public Optional<ServerTls> tls() {
    return tls;
  }

  /** Who may do what, if anybody is asked. */
  public Optional<Access> access() {
    return access;
  }

  /**
   * What becomes of the requests of this caller: as they are, if nobody is asked.
   *
   * @return throws RefusalException for what the caller may not ask for
   */
  public UnaryOperator<GenerateRequest> rules(Optional<Identity> caller) {
    if (access.isEmpty() || caller.isEmpty()) {
      return UnaryOperator.identity();
    }
    Access asked = access.get();
    Identity identity = caller.get();
    return request -> asked.admit(identity, request);
  }

  /**
   * TLS towards others.
   *
   * @param section its name in the configuration
   */
  public ClientTls client(String section, ClientTlsConfig config) {
    if (!config.enabled() || watch.isEmpty()) {
      return ClientTls.plainText();
    }
    ClientTls client = ClientTls.of(section, config, watch.get());
    client.own().ifPresent(own -> shown.add(new Shown(own, Attributes.of(USE, section))));
    return client;
  }

  /** Shows the key in a file, if there is one, with every call. */
  public List<ClientInterceptor> key(String setting, Optional<Path> file) {
    return watch.isPresent() && file.isPresent()
        ? List.of(BearerKey.follow(setting, file.get(), watch.get()))
        : List.of();
  }

  /** Measures refusals and the age of certificates. Call last: it takes what there is then. */
  public void observe(Meter meter) {
    access.ifPresent(a -> a.countOn(meter));
    if (!shown.isEmpty()) {
      Metrics.CERTIFICATE_VALIDITY.observe(
          meter,
          measured -> {
            Instant now = Instant.now();
            for (Shown each : shown) {
              measured.record(
                  Duration.between(now, each.certificate().expiry()).toSeconds(),
                  each.attributes());
            }
          });
    }
  }

  /**
   * Warns when others than this machine can reach a port that does not ask who they are.
   *
   * @param what listens there: gRPC, HTTP
   */
  public void warnIfOpen(String what, String host, int port) {
    InetSocketAddress address = new InetSocketAddress(host, port);
    if (address.isUnresolved() || address.getAddress().isLoopbackAddress()) {
      return;
    }
    if (access.isEmpty() && tls.filter(ServerTls::clientsMust).isEmpty()) {
      log.warn(
          "{} listens on {}:{} WITHOUT AUTHENTICATION: anybody who can reach it can use it"
              + " (expected: --auth.keys FILE, --auth.jwt.jwks FILE or --tls.client-ca FILE;"
              + " or a loopback address)",
          what,
          host,
          port);
    }
    if (tls.isEmpty()) {
      log.warn(
          "{} listens on {}:{} WITHOUT TLS: prompts, answers and keys can be read on the way"
              + " (expected: --tls.certificate FILE and --tls.private-key FILE)",
          what,
          host,
          port);
    }
  }

  @Override
  public void close() {
    watch.ifPresent(FileWatch::close);
  }
}
