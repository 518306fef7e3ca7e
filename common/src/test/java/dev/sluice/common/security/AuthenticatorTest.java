package dev.sluice.common.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.sluice.common.error.RefusalException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import org.jose4j.jwk.EcJwkGenerator;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.OctetKeyPairJsonWebKey;
import org.jose4j.jwk.OkpJwkGenerator;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.keys.EllipticCurves;
import org.jose4j.keys.HmacKey;
import org.jose4j.lang.JoseException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AuthenticatorTest {
  @TempDir private Path folder = Path.of("");
  private final FileWatch watch = new FileWatch();

  @AfterEach
  void stop() {
    watch.close();
  }

  @Test
  void aKeyStandsForItsTenantUntilItIsRevoked() {
    Path file = folder.resolve("keys");
    ApiKey.Created gold = create("gold", Permission.GENERATE);
    ApiKey.Created ops = create("ops", Permission.OPERATE);
    KeyFile.append(file, gold.entry());
    Authenticator authenticator = withKeys(file);
    assertThat(identify(authenticator, gold.secret()).tenant()).isEqualTo("gold");
    assertThat(identify(authenticator, gold.secret()).permissions())
        .containsExactly(Permission.GENERATE);
    assertThat(refusal(authenticator, "Bearer " + ops.secret())).isEqualTo("the key is not known");

    KeyFile.append(file, ops.entry());
    watch.look();
    assertThat(identify(authenticator, ops.secret()).permissions())
        .containsExactly(Permission.OPERATE);

    assertThat(KeyFile.remove(file, key -> key.identity().tenant().equals("gold"))).isEqualTo(1);
    watch.look();
    assertThat(refusal(authenticator, "Bearer " + gold.secret())).isEqualTo("the key is not known");
    assertThat(identify(authenticator, ops.secret()).tenant()).isEqualTo("ops");
  }

  @Test
  void theFileHoldsNoKey() throws IOException {
    Path file = folder.resolve("keys");
    ApiKey.Created key = create("gold", Permission.GENERATE);
    KeyFile.append(file, key.entry());
    assertThat(Files.readString(file))
        .contains("gold")
        .doesNotContain(key.secret().substring(ApiKey.PREFIX.length()));
    assertThat(key.secret()).startsWith(ApiKey.PREFIX).hasSize(ApiKey.PREFIX.length() + 43);
  }

  @Test
  void noCredentialsAndWrongOnesAreRefusedWithoutTellingThem() {
    Path file = folder.resolve("keys");
    ApiKey.Created gold = create("gold", Permission.GENERATE);
    KeyFile.append(file, gold.entry());
    Authenticator authenticator = withKeys(file);
    assertThatExceptionOfType(RefusalException.class)
        .isThrownBy(() -> authenticator.identify(Optional.empty(), Optional.empty()))
        .withMessageContaining("no credentials (expected: authorization: Bearer KEY");
    String near = gold.secret().substring(0, gold.secret().length() - 1) + "!";
    for (String wrong : List.of("Bearer " + near, "Basic " + gold.secret(), "", gold.secret())) {
      assertThat(refusal(authenticator, wrong)).doesNotContain(near).doesNotContain("sk-sluice");
    }
  }

  @Test
  void aWrongLineOfAKeyFileIsNamedAndNotShown() throws IOException {
    Path file = Files.writeString(folder.resolve("keys"), "# comment\n\nsk-sluice-oops a b c\n");
    assertThatExceptionOfType(SecurityFileException.class)
        .isThrownBy(() -> withKeys(file))
        .withMessage(
            "auth.keys: "
                + file
                + ":3: the first word is no SHA-256 (expected: 64 hexadecimal digits)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"RS256", "ES256", "EdDSA"})
  void aTokenStandsForItsTenant(String algorithm) throws JoseException, IOException {
    PublicJsonWebKey key = jwk(algorithm);
    Authenticator authenticator = withJwks(key);
    JwtClaims claims = claims(60);
    claims.setStringClaim("scope", "openid generate operate router");
    Identity identity = identify(authenticator, sign(claims, algorithm, key));
    assertThat(identity.tenant()).isEqualTo("gold");
    assertThat(identity.name()).isEqualTo("somebody");
    assertThat(identity.permissions())
        .containsExactlyInAnyOrder(Permission.GENERATE, Permission.OPERATE);
    assertThat(identify(authenticator, sign(claims(60), algorithm, key)).permissions())
        .containsExactly(Permission.GENERATE);
  }

  @Test
  void tokensThatAreNotGoodAreRefused() throws JoseException, IOException {
    PublicJsonWebKey key = jwk("ES256");
    Authenticator authenticator = withJwks(key);
    assertThat(refusal(authenticator, bearer(claims(-3600), "ES256", key)))
        .isEqualTo("the token has expired");
    JwtClaims others = claims(60);
    others.setAudience("another");
    assertThat(refusal(authenticator, bearer(others, "ES256", key))).contains("is for others");
    JwtClaims issued = claims(60);
    issued.setIssuer("another");
    assertThat(refusal(authenticator, bearer(issued, "ES256", key))).contains("another issuer");
    JwtClaims forever = claims(60);
    forever.unsetClaim("exp");
    assertThat(refusal(authenticator, bearer(forever, "ES256", key))).contains("no expiry");
    JwtClaims nobody = claims(60);
    nobody.unsetClaim("tenant");
    assertThat(refusal(authenticator, bearer(nobody, "ES256", key))).contains("no claim");
    PublicJsonWebKey stranger = jwk("ES256");
    assertThat(refusal(authenticator, bearer(claims(60), "ES256", stranger)))
        .contains("not signed by a known key");
    assertThat(refusal(authenticator, "Bearer nonsense")).contains("not signed by a known key");
  }

  @Test
  void aTokenMayNotChooseAWeakAlgorithm() throws JoseException, IOException {
    PublicJsonWebKey key = jwk("RS256");
    Authenticator authenticator = withJwks(key);
    JsonWebSignature none = new JsonWebSignature();
    none.setAlgorithmConstraints(org.jose4j.jwa.AlgorithmConstraints.ALLOW_ONLY_NONE);
    none.setPayload(claims(60).toJson());
    none.setAlgorithmHeaderValue(AlgorithmIdentifiers.NONE);
    assertThat(refusal(authenticator, "Bearer " + none.getCompactSerialization()))
        .contains("not signed by a known key");
    JsonWebSignature confused = new JsonWebSignature(); // the public key as a shared secret
    confused.setPayload(claims(60).toJson());
    confused.setKeyIdHeaderValue(key.getKeyId());
    confused.setAlgorithmHeaderValue(AlgorithmIdentifiers.HMAC_SHA256);
    confused.setKey(new HmacKey(key.getPublicKey().getEncoded()));
    assertThat(refusal(authenticator, "Bearer " + confused.getCompactSerialization()))
        .contains("not signed by a known key");
  }

  @Test
  void certificatesStandForWhatTheConfigurationSays() {
    Grants grants =
        Grants.of(List.of("router.example=*:router", "spiffe://a/ops=ops:generate+operate"));
    assertThat(grants.byName().get("router.example"))
        .isEqualTo(new Identity("router.example", "*", EnumSet.of(Permission.ROUTER)));
    assertThat(grants.byName()).containsKey("spiffe://a/ops");
    for (String wrong :
        List.of("x", "x=gold", "=gold:generate", "x=gold:write", "x=*:generate", "x=a:router")) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Grants.of(List.of(wrong)))
          .withMessageStartingWith("certificates: " + wrong);
    }
  }

  private Authenticator withKeys(Path file) {
    return Authenticator.of(
            new AuthConfig(Optional.of(file), AuthConfig.Jwt.NONE, List.of(), true), watch)
        .orElseThrow();
  }

  private Authenticator withJwks(PublicJsonWebKey key) throws IOException {
    Path jwks =
        Files.writeString(
            folder.resolve("jwks.json"),
            new JsonWebKeySet(key).toJson(JsonWebKey.OutputControlLevel.PUBLIC_ONLY));
    return Authenticator.of(
            new AuthConfig(
                Optional.empty(),
                new AuthConfig.Jwt(
                    Optional.of(jwks),
                    Optional.of("https://issuer"),
                    Optional.of("sluice"),
                    "tenant",
                    "scope"),
                List.of(),
                true),
            watch)
        .orElseThrow();
  }

  private static PublicJsonWebKey jwk(String algorithm) throws JoseException {
    PublicJsonWebKey key =
        switch (algorithm) {
          case "RS256" -> RsaJwkGenerator.generateJwk(2048);
          case "ES256" -> EcJwkGenerator.generateJwk(EllipticCurves.P256);
          default -> OkpJwkGenerator.generateJwk(OctetKeyPairJsonWebKey.SUBTYPE_ED25519);
        };
    key.setKeyId("one");
    return key;
  }

  private static JwtClaims claims(int secondsLeft) {
    JwtClaims claims = new JwtClaims();
    claims.setIssuer("https://issuer");
    claims.setAudience("sluice");
    claims.setSubject("somebody");
    claims.setStringClaim("tenant", "gold");
    claims.setExpirationTimeMinutesInTheFuture(secondsLeft / 60f);
    return claims;
  }

  private static String sign(JwtClaims claims, String algorithm, PublicJsonWebKey key)
      throws JoseException {
    JsonWebSignature token = new JsonWebSignature();
    token.setPayload(claims.toJson());
    token.setKey(key.getPrivateKey());
    token.setKeyIdHeaderValue(key.getKeyId());
    token.setAlgorithmHeaderValue(algorithm);
    return token.getCompactSerialization();
  }

  private static String bearer(JwtClaims claims, String algorithm, PublicJsonWebKey key)
      throws JoseException {
    return "Bearer " + sign(claims, algorithm, key);
  }

  private static ApiKey.Created create(String tenant, Permission permission) {
    return ApiKey.create(tenant, EnumSet.of(permission), new SecureRandom());
  }

  private static Identity identify(Authenticator authenticator, String credential) {
    return authenticator.identify(Optional.of("Bearer " + credential), Optional.empty());
  }

  private static String refusal(Authenticator authenticator, String header) {
    try {
      authenticator.identify(Optional.of(header), Optional.empty());
      return "let in";
    } catch (RefusalException e) {
      return e.refusal().message();
    }
  }
}
