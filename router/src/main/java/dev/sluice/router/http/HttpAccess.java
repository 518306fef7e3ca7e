package dev.sluice.router.http;

import dev.sluice.common.error.RefusalException;
import dev.sluice.common.security.Access;
import dev.sluice.common.security.Identity;
import dev.sluice.common.security.Permission;
import dev.sluice.common.security.Security;
import dev.sluice.v1.GenerateRequest;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Lets HTTP requests in, once each. Paths that are not of an API are for operators, whose browsers
 * may send the key as the password of any user.
 *
 * <p>Threading: any event loop; immutable.
 */
final class HttpAccess {
  private static final Set<Permission> OPEN = EnumSet.noneOf(Permission.class);
  private static final Set<Permission> GENERATE = EnumSet.of(Permission.GENERATE);
  private static final Set<Permission> OPERATE = EnumSet.of(Permission.OPERATE);
  private static final String BASIC = "basic ";

  private final Security security;
  private final HttpMetrics metrics;

  /**
   * @param security whom to ask, if anybody is asked
   */
  HttpAccess(Security security, HttpMetrics metrics) {
    this.security = security;
    this.metrics = metrics;
  }

  /** Any of these permissions is enough; empty: everybody may, without saying who they are. */
  static Set<Permission> enough(String path) {
    return switch (path) {
      case "/health", "/version" -> OPEN;
      case "/tokenize", "/detokenize" -> GENERATE;
      default -> path.startsWith("/v1/") ? GENERATE : OPERATE;
    };
  }

  /**
   * What the requests of this caller become, or RefusalException. Empty if it was not let in, which
   * has been answered.
   */
  Optional<UnaryOperator<GenerateRequest>> admit(HttpServerRequest request) {
    String path = request.path() == null ? "" : request.path();
    Set<Permission> enough = enough(path);
    Optional<Access> access = security.access();
    if (access.isEmpty() || enough.isEmpty()) {
      return Optional.of(security.rules(Optional.empty()));
    }
    try {
      Identity caller =
          access
              .get()
              .admit(
                  authorization(request),
                  Optional.ofNullable(request.connection().sslSession()),
                  path,
                  enough);
      return Optional.of(security.rules(Optional.of(caller)));
    } catch (RefusalException e) {
      ApiError error = ApiError.of(e.refusal());
      if (error.status() == 401) {
        request
            .response()
            .putHeader(
                "WWW-Authenticate",
                enough.equals(OPERATE) ? "Basic realm=\"Sluice\"" : "Bearer realm=\"Sluice\"");
      }
      if (request.version() != HttpVersion.HTTP_2) {
        request.response().putHeader("Connection", "close"); // its body is not waited for
      }
      new Exchange(request, "", metrics).fail(error);
      return Optional.empty();
    }
  }

  private static Optional<String> authorization(HttpServerRequest request) {
    String header = request.getHeader("Authorization");
    if (header == null || !header.regionMatches(true, 0, BASIC, 0, BASIC.length())) {
      return Optional.ofNullable(header);
    }
    try {
      byte[] decoded = Base64.getDecoder().decode(header.substring(BASIC.length()).strip());
      String pair = new String(decoded, StandardCharsets.UTF_8);
      return Optional.of("Bearer " + pair.substring(pair.indexOf(':') + 1));
    } catch (IllegalArgumentException _) {
      return Optional.of(header); // is refused as of an unknown kind
    }
  }
}
