package dev.sluice.common.security;

import java.nio.file.Path;
import java.util.Optional;

/**
 * TLS towards another process. Files are read again when they change.
 *
 * @param enabled false: plain text; any of the other keys turns it on, too
 * @param ca authorities that may have signed the server's certificate, PEM; none: the system's
 * @param certificate what this process shows, PEM; none: nothing
 * @param privateKey its key, PKCS#8 in PEM, not encrypted
 * @param serverName name that the server's certificate must have; none: the host of its address
 */
public record ClientTlsConfig(
    boolean enabled,
    Optional<Path> ca,
    Optional<Path> certificate,
    Optional<Path> privateKey,
    Optional<String> serverName) {
  /** Plain text. */
  public static final ClientTlsConfig NONE =
      new ClientTlsConfig(
          false, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

  public ClientTlsConfig {
    OwnCertificate.checkPair(certificate, privateKey);
    enabled = enabled || ca.isPresent() || certificate.isPresent() || serverName.isPresent();
  }
}
