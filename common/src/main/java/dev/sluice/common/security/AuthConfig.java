package dev.sluice.common.security;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Who is known. With neither keys nor tokens nor certificates nobody is asked, and everybody who
 * can connect may do everything.
 *
 * @param keys file of hashed API keys, as {@code sluice keys create} writes it
 * @param jwt tokens of an identity provider
 * @param certificates what names in clients' certificates stand for, each {@code
 *     NAME=TENANT:PERMISSION+PERMISSION}; routers have {@code NAME=*:router}
 * @param cachePerTenant whether a tenant finds only its own prompts in the prefix cache
 */
public record AuthConfig(
    Optional<Path> keys, Jwt jwt, List<String> certificates, boolean cachePerTenant) {
  /** Nobody is asked. */
  public static final AuthConfig NONE = new AuthConfig(Optional.empty(), Jwt.NONE, List.of(), true);

  public AuthConfig {
    certificates = List.copyOf(certificates);
    Grants.of(certificates);
  }

  /** Whether callers are asked who they are. */
  public boolean enabled() {
    return keys.isPresent() || jwt.jwks().isPresent() || !certificates.isEmpty();
  }

  /**
   * Signed tokens: RS256, ES256 or EdDSA, with an expiry.
   *
   * @param jwks file with the provider's public keys, a JSON Web Key Set; none: no tokens
   * @param issuer what a token's {@code iss} must be
   * @param audience what a token's {@code aud} must hold
   * @param tenantClaim the claim that names the tenant
   * @param permissionsClaim the claim with permissions, a list or a text with blanks between; a
   *     token without it may generate
   */
  public record Jwt(
      Optional<Path> jwks,
      Optional<String> issuer,
      Optional<String> audience,
      String tenantClaim,
      String permissionsClaim) {
    static final Jwt NONE =
        new Jwt(Optional.empty(), Optional.empty(), Optional.empty(), "tenant", "scope");

    public Jwt {
      if (jwks.isPresent() && issuer.isEmpty()) {
        throw new IllegalArgumentException("issuer: null (expected with jwks: the tokens' iss)");
      }
      if (jwks.isPresent() && audience.isEmpty()) {
        throw new IllegalArgumentException("audience: null (expected with jwks: the tokens' aud)");
      }
    }
  }
}
