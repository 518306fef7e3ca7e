package dev.sluice.router.http;

import dev.sluice.common.error.RefusalException;
import dev.sluice.common.security.Access;
import dev.sluice.common.security.Identity;
import dev.sluice.common.security.Permission;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

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

  private final Optional<Access> access;
  private final HttpMetrics metrics;

  /**
   * @param access empty: nobody is asked
   */
  HttpAccess(Optional<Access> access, HttpMetrics metrics) {
    this.access = access;
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
   * Who calls, if it may: inside empty where nobody is asked. Empty if it was refused, which has
   * been answered.
   */
  Optional<Optional<Identity>> admit(HttpServerRequest request) {
    String path = request.path() == null ? "" : request.path();
    Set<Permission> enough = enough(path);
    if (access.isEmpty() || enough.isEmpty()) {
      return Optional.of(Optional.empty());
    }
    try {
      return Optional.of(
          Optional.of(
              access
                  .get()
                  .admit(
                      authorization(request),
                      Optional.ofNullable(request.connection().sslSession()),
                      path,
                      enough)));
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
