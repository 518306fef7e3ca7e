package dev.sluice.common.security;

import io.grpc.netty.GrpcSslContexts;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.util.Optional;
import javax.net.ssl.SSLException;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * TLS of the ports of this process, 1.2 and 1.3. Threading: immutable; its managers follow files.
 */
public final class ServerTls {
  private final OwnCertificate own;
  private final Optional<X509ExtendedTrustManager> clients;
  private final boolean clientsMust;

  private ServerTls(
      OwnCertificate own, Optional<X509ExtendedTrustManager> clients, boolean clientsMust) {
    this.own = own;
    this.clients = clients;
    this.clientsMust = clientsMust;
  }

  static Optional<ServerTls> of(TlsConfig config, FileWatch watch) {
    if (config.certificate().isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new ServerTls(
            OwnCertificate.follow(
                "tls", config.certificate().get(), config.privateKey().orElseThrow(), watch),
            config.clientCa().map(file -> Authorities.follow("tls.client-ca", file, watch)),
            config.clientCertificates() == TlsConfig.ClientCertificates.REQUIRED));
  }

  /** For gRPC's server. */
  public SslContext context() {
    SslContextBuilder builder = SslContextBuilder.forServer(own.manager());
    clients.ifPresent(manager ->
        builder
            .trustManager(manager)
            .clientAuth(clientsMust ? ClientAuth.REQUIRE : ClientAuth.OPTIONAL));
    try {
      return GrpcSslContexts.configure(builder, SslProvider.JDK).build();
    } catch (SSLException e) {
      throw new IllegalStateException("cannot be: the JDK has TLS", e);
    }
  }

  /** Shows the certificate of this process. */
  public X509ExtendedKeyManager keyManager() {
    return own.manager();
  }

  /** Judges clients' certificates, if they show any. */
  public Optional<X509ExtendedTrustManager> clients() {
    return clients;
  }

  /** Whether clients must show a certificate. */
  public boolean clientsMust() {
    return clients.isPresent() && clientsMust;
  }

  OwnCertificate own() {
    return own;
  }
}
