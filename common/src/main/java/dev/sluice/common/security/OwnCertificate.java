package dev.sluice.common.security;

import io.grpc.util.AdvancedTlsX509KeyManager;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this process shows to prove who it is. New connections get the latest; those that stand keep
 * what they began with.
 *
 * <p>Threading: any thread.
 */
final class OwnCertificate {
  private static final Logger log = LoggerFactory.getLogger(OwnCertificate.class);
  private static final Duration SOON = Duration.ofDays(14);

  private final String section;
  private final Path certificate;
  private final Path privateKey;
  private final AdvancedTlsX509KeyManager manager = new AdvancedTlsX509KeyManager();
  private volatile Instant expiry = Instant.MAX;

  private OwnCertificate(String section, Path certificate, Path privateKey) {
    this.section = section;
    this.certificate = certificate;
    this.privateKey = privateKey;
  }

  /** Refuses one file without the other. */
  static void checkPair(Optional<Path> certificate, Optional<Path> privateKey) {
    if (certificate.isPresent() != privateKey.isPresent()) {
      throw new IllegalArgumentException(
          certificate.isPresent()
              ? "private-key: null (expected: the key of certificate, " + certificate.get() + ")"
              : "certificate: null (expected: that of private-key, "
                  + privateKey.map(Path::toString).orElse("")
                  + ")");
    }
  }

  /**
   * Loads both files, and follows them.
   *
   * @param section for messages: {@code tls}
   */
  static OwnCertificate follow(String section, Path certificate, Path privateKey, FileWatch watch) {
    OwnCertificate own = new OwnCertificate(section, certificate, privateKey);
    watch.follow(List.of(certificate, privateKey), own::load);
    return own;
  }

  private void load() {
    X509Certificate[] chain = PemFiles.certificates(section + ".certificate", certificate);
    PrivateKey key = PemFiles.privateKey(section + ".private-key", privateKey, chain[0]);
    manager.updateIdentityCredentials(chain, key);
    Instant end = chain[0].getNotAfter().toInstant();
    expiry = end;
    Duration left = Duration.between(Instant.now(), end);
    if (left.isNegative()) {
      log.warn(
          "{}.certificate: {}: EXPIRED on {}: clients will refuse it", section, certificate, end);
    } else if (left.compareTo(SOON) < 0) {
      log.warn(
          "{}.certificate: {}: expires on {}, in {} days",
          section,
          certificate,
          end,
          left.toDays());
    } else {
      log.info(
          "{}.certificate: {}, valid until {}", section, chain[0].getSubjectX500Principal(), end);
    }
  }

  AdvancedTlsX509KeyManager manager() {
    return manager;
  }

  /** End of its validity. */
  Instant expiry() {
    return expiry;
  }
}
