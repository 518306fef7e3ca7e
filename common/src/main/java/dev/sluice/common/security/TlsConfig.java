package dev.sluice.common.security;

import java.nio.file.Path;
import java.util.Optional;

/**
 * TLS of the ports that a process listens on: gRPC, and the router's HTTP. Files are read again
 * when they change.
 *
 * @param certificate the server's certificate and those between it and its authority, PEM; none:
 *     plain text
 * @param privateKey its key, PKCS#8 in PEM, not encrypted
 * @param clientCa authorities whose certificates clients may show, PEM; none: clients show none
 * @param clientCertificates with client-ca, whether a client must show one
 */
public record TlsConfig(
    Optional<Path> certificate,
    Optional<Path> privateKey,
    Optional<Path> clientCa,
    ClientCertificates clientCertificates) {
  /** Plain text. */
  public static final TlsConfig NONE =
      new TlsConfig(
          Optional.empty(), Optional.empty(), Optional.empty(), ClientCertificates.REQUIRED);

  /** What a client must show. */
  public enum ClientCertificates {
    /** No certificate, no connection. */
    REQUIRED,
    /** One that is shown must be good; those without have a key or a token. */
    OPTIONAL
  }

  public TlsConfig {
    OwnCertificate.checkPair(certificate, privateKey);
    if (clientCa.isPresent() && certificate.isEmpty()) {
      throw new IllegalArgumentException(
          "client-ca: " + clientCa.get() + " (expected: together with certificate)");
    }
  }
}
