package dev.sluice.common.security;

import dev.sluice.common.digest.Digests;
import io.grpc.Context;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Who calls.
 *
 * @param name of the key, the certificate or the token's subject; for logs and messages
 * @param tenant on whose account it runs; {@value #ANY_TENANT} for routers, which speak for all
 * @param permissions what it may do
 */
public record Identity(String name, String tenant, Set<Permission> permissions) {
  /** The tenant of those that speak for every tenant. */
  public static final String ANY_TENANT = "*";

  private static final Context.Key<Identity> CURRENT = Context.key("sluice-identity");
  private static final Pattern TENANT = Pattern.compile("[\\w.:@/-]{1,128}");

  public Identity {
    permissions = Set.copyOf(permissions);
    checkTenant(tenant, permissions.contains(Permission.ROUTER));
  }

  private static void checkTenant(String tenant, boolean router) {
    if (router != tenant.equals(ANY_TENANT)) {
      throw new IllegalArgumentException(
          "tenant \""
              + tenant
              + "\" (expected: * with the permission router, and only there: it speaks for all)");
    }
    if (!router && !TENANT.matcher(tenant).matches()) {
      throw new IllegalArgumentException(
          "tenant \"" + tenant + "\" (expected: 1 to 128 letters, digits or any of _ . : @ / -)");
    }
  }

  /** Of the call that runs; empty where nobody is asked who they are. */
  public static Optional<Identity> current() {
    return Optional.ofNullable(CURRENT.get());
  }

  /** The context of a call of this identity. */
  Context in(Context context) {
    return context.withValue(CURRENT, this);
  }

  boolean mayAny(Set<Permission> enough) {
    for (Permission permission : enough) {
      if (permissions.contains(permission)) {
        return true;
      }
    }
    return false;
  }

  /** Whether it speaks for every tenant. */
  boolean isRouter() {
    return permissions.contains(Permission.ROUTER);
  }

  /**
   * What the prefix cache is keyed with for this tenant: nobody else can name the same.
   *
   * @param given what the request asks for, possibly empty
   */
  String cacheSalt(String given) {
    MessageDigest digest = Digests.sha256();
    digest.update(tenant.getBytes(StandardCharsets.UTF_8));
    digest.update((byte) 0);
    digest.update(given.getBytes(StandardCharsets.UTF_8));
    return Base64.getUrlEncoder().withoutPadding().encodeToString(digest.digest());
  }
}
