package dev.sluice.common.security;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jose4j.jwa.AlgorithmConstraints;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.MalformedClaimException;
import org.jose4j.jwt.consumer.ErrorCodes;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.jose4j.jwt.consumer.JwtConsumer;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.keys.resolvers.JwksVerificationKeyResolver;
import org.jose4j.lang.JoseException;

/** Judges JSON Web Tokens by the public keys of one key set. Threading: immutable. */
final class Tokens {
  private static final int SKEW_SECONDS = 30;

  private final JwtConsumer consumer;
  private final AuthConfig.Jwt config;

  private Tokens(JwtConsumer consumer, AuthConfig.Jwt config) {
    this.consumer = consumer;
    this.config = config;
  }

  /**
   * @throws SecurityFileException when the file is no key set
   */
  static Tokens load(Path jwks, AuthConfig.Jwt config) {
    JsonWebKeySet keys;
    try {
      keys = new JsonWebKeySet(SecretFiles.read("auth.jwt.jwks", jwks));
    } catch (JoseException e) {
      throw new SecurityFileException(
          "auth.jwt.jwks: " + jwks + ": no JSON Web Key Set: " + e.getMessage(), e);
    }
    if (keys.getJsonWebKeys().isEmpty()) {
      throw new SecurityFileException("auth.jwt.jwks: " + jwks + ": no key in it");
    }
    return new Tokens(
        new JwtConsumerBuilder()
            .setVerificationKeyResolver(new JwksVerificationKeyResolver(keys.getJsonWebKeys()))
            .setJwsAlgorithmConstraints(
                AlgorithmConstraints.ConstraintType.PERMIT,
                AlgorithmIdentifiers.RSA_USING_SHA256,
                AlgorithmIdentifiers.ECDSA_USING_P256_CURVE_AND_SHA256,
                AlgorithmIdentifiers.EDDSA)
            .setRequireExpirationTime()
            .setAllowedClockSkewInSeconds(SKEW_SECONDS)
            .setExpectedIssuer(config.issuer().orElseThrow())
            .setExpectedAudience(config.audience().orElseThrow())
            .build(),
        config);
  }

  /**
   * Who it was given to.
   *
   * @throws dev.sluice.common.error.RefusalException if it is not good; the token is not told
   */
  Identity verify(String token) {
    try {
      JwtClaims claims = consumer.processToClaims(token);
      String tenant = claims.getStringClaimValue(config.tenantClaim());
      if (tenant == null) {
        throw Authenticator.refused(
            "the token has no claim \"" + config.tenantClaim() + "\" (expected: its tenant)");
      }
      String subject = Optional.ofNullable(claims.getSubject()).orElse("token");
      return new Identity(subject, tenant, permissions(claims));
    } catch (InvalidJwtException e) {
      throw Authenticator.refused(reason(e));
    } catch (MalformedClaimException e) {
      throw Authenticator.refused("a claim of the token has the wrong type");
    } catch (IllegalArgumentException e) {
      throw Authenticator.refused("the token names a tenant that cannot be");
    }
  }

  private Set<Permission> permissions(JwtClaims claims) throws MalformedClaimException {
    if (!claims.hasClaim(config.permissionsClaim())) {
      return EnumSet.of(Permission.GENERATE);
    }
    List<String> labels = new ArrayList<>();
    if (claims.isClaimValueStringList(config.permissionsClaim())) {
      labels.addAll(claims.getStringListClaimValue(config.permissionsClaim()));
    } else {
      labels.addAll(List.of(claims.getStringClaimValue(config.permissionsClaim()).split(" ", -1)));
    }
    // A provider has scopes of its own as well. None makes a router: these are not people.
    Set<Permission> permissions = EnumSet.noneOf(Permission.class);
    for (Permission permission : List.of(Permission.GENERATE, Permission.OPERATE)) {
      if (labels.contains(permission.label())) {
        permissions.add(permission);
      }
    }
    return permissions;
  }

  private static String reason(InvalidJwtException e) {
    if (e.hasExpired()) {
      return "the token has expired";
    }
    if (e.hasErrorCode(ErrorCodes.ISSUER_INVALID) || e.hasErrorCode(ErrorCodes.ISSUER_MISSING)) {
      return "the token has another issuer (expected: that of auth.jwt.issuer)";
    }
    if (e.hasErrorCode(ErrorCodes.AUDIENCE_INVALID)
        || e.hasErrorCode(ErrorCodes.AUDIENCE_MISSING)) {
      return "the token is for others (expected: auth.jwt.audience among its audience)";
    }
    if (e.hasErrorCode(ErrorCodes.EXPIRATION_MISSING)) {
      return "the token has no expiry (expected: exp)";
    }
    return "the token is not signed by a known key (expected: RS256, ES256 or EdDSA by a key of"
        + " auth.jwt.jwks)";
  }
}
