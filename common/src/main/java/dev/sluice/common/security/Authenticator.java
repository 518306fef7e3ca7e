package dev.sluice.common.security;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out who calls: by a key, a token, or the certificate of the connection. Asked once per
 * call.
 *
 * <p>Threading: any thread. Keys and tokens are replaced as a whole when their files change.
 */
public final class Authenticator {
  private static final Logger log = LoggerFactory.getLogger(Authenticator.class);
  private static final String BEARER = "bearer ";

  private final Grants grants;
  private volatile ApiKeys keys = ApiKeys.NONE;
  private volatile Optional<Tokens> tokens = Optional.empty();

  private Authenticator(Grants grants) {
    this.grants = grants;
  }

  static Optional<Authenticator> of(AuthConfig config, FileWatch watch) {
    if (!config.enabled()) {
      return Optional.empty();
    }
    Authenticator authenticator = new Authenticator(Grants.of(config.certificates()));
    config
        .keys()
        .ifPresent(file -> watch.follow(List.of(file), () -> authenticator.loadKeys(file)));
    config
        .jwt()
        .jwks()
        .ifPresent(file ->
            watch.follow(
                List.of(file),
                () -> authenticator.tokens = Optional.of(Tokens.load(file, config.jwt()))));
    return Optional.of(authenticator);
  }

  private void loadKeys(Path file) {
    keys = new ApiKeys(KeyFile.read("auth.keys", file));
    log.info("{} keys in {}", keys.size(), file);
  }

  /**
   * Who calls.
   *
   * @param authorization the header of that name
   * @param session of the connection, if it has TLS
   * @throws RefusalException UNAUTHENTICATED, if that cannot be told
   */
  public Identity identify(Optional<String> authorization, Optional<SSLSession> session) {
    if (authorization.isPresent()) {
      return bearer(authorization.get());
    }
    Optional<X509Certificate> shown = session.flatMap(Authenticator::certificate);
    if (shown.isEmpty()) {
      throw refused("no credentials (expected: authorization: Bearer KEY, or a certificate)");
    }
    return grants
        .find(shown.get())
        .orElseThrow(() ->
            refused(
                "nobody is known by the names of this certificate, "
                    + Grants.names(shown.get())
                    + " (expected: one of auth.certificates, or authorization: Bearer KEY)"));
  }

  private Identity bearer(String authorization) {
    if (!authorization.toLowerCase(Locale.ROOT).startsWith(BEARER)) {
      throw refused("authorization of an unknown kind (expected: Bearer KEY)");
    }
    String credential = authorization.substring(BEARER.length()).strip();
    Optional<Tokens> judge = tokens;
    if (judge.isPresent() && !credential.startsWith(ApiKey.PREFIX)) {
      return judge.get().verify(credential);
    }
    return keys.find(credential).orElseThrow(() -> refused("the key is not known"));
  }

  private static Optional<X509Certificate> certificate(SSLSession session) {
    try {
      Certificate[] chain = session.getPeerCertificates();
      return chain.length > 0 && chain[0] instanceof X509Certificate first
          ? Optional.of(first)
          : Optional.empty();
    } catch (SSLPeerUnverifiedException _) {
      return Optional.empty();
    }
  }

  static RefusalException refused(String message) {
    return new RefusalException(new Refusal.Unauthenticated(message));
  }
}
