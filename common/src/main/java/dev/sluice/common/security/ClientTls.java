package dev.sluice.common.security;

import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NegotiationType;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.util.Optional;
import javax.net.ssl.SSLException;

/** TLS towards other processes, or plain text. Threading: immutable; it follows its files. */
public final class ClientTls {
  private final Optional<SslContext> context;
  private final Optional<String> serverName;
  private final Optional<OwnCertificate> own;

  private ClientTls(
      Optional<SslContext> context, Optional<String> serverName, Optional<OwnCertificate> own) {
    this.context = context;
    this.serverName = serverName;
    this.own = own;
  }

  /** No TLS. */
  public static ClientTls plainText() {
    return new ClientTls(Optional.empty(), Optional.empty(), Optional.empty());
  }

  static ClientTls of(String section, ClientTlsConfig config, FileWatch watch) {
    if (!config.enabled()) {
      return plainText();
    }
    SslContextBuilder builder = SslContextBuilder.forClient();
    config
        .ca()
        .ifPresent(file -> builder.trustManager(Authorities.follow(section + ".ca", file, watch)));
    Optional<OwnCertificate> own =
        config
            .certificate()
            .map(certificate ->
                OwnCertificate.follow(
                    section, certificate, config.privateKey().orElseThrow(), watch));
    own.ifPresent(shown -> builder.keyManager(shown.manager()));
    try {
      return new ClientTls(
          Optional.of(GrpcSslContexts.configure(builder, SslProvider.JDK).build()),
          config.serverName(),
          own);
    } catch (SSLException e) {
      throw new IllegalStateException("cannot be: the JDK has TLS", e);
    }
  }

  /** Makes a channel speak as configured. */
  public NettyChannelBuilder apply(NettyChannelBuilder channel) {
    if (context.isEmpty()) {
      return channel.usePlaintext();
    }
    serverName.ifPresent(channel::overrideAuthority);
    return channel.negotiationType(NegotiationType.TLS).sslContext(context.get());
  }

  Optional<OwnCertificate> own() {
    return own;
  }
}
