package dev.sluice.common.security;

import dev.sluice.common.digest.Digests;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;

/**
 * A line of a key file: everything about a key but the key. Keys have 256 random bits, so a plain
 * SHA-256 is as good as they are: there is nothing to guess.
 *
 * @param digest SHA-256 of the key, 64 hexadecimal digits
 * @param identity whose it is; named by the key's id
 */
public record ApiKey(String digest, Identity identity) {
  /** What every key begins with, so that scanners for leaked secrets find it. */
  public static final String PREFIX = "sk-sluice-";

  private static final int KEY_BYTES = 32;
  private static final int ID_BYTES = 4;

  /**
   * A new key.
   *
   * @param secret the key itself, which is nowhere else
   */
  public record Created(String secret, ApiKey entry) {}

  /**
   * Makes a key up.
   *
   * @throws IllegalArgumentException for a tenant or id that cannot be
   */
  public static Created create(String tenant, Set<Permission> permissions, SecureRandom random) {
    byte[] secret = new byte[KEY_BYTES];
    random.nextBytes(secret);
    byte[] id = new byte[ID_BYTES];
    random.nextBytes(id);
    String key = PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
    return new Created(
        key,
        new ApiKey(
            HexFormat.of().formatHex(Digests.sha256(key)),
            new Identity("key-" + HexFormat.of().formatHex(id), tenant, permissions)));
  }

  /** The words of its line: digest, id, tenant, permissions. */
  public String line() {
    return String.join(" ", digest, identity.name(), identity.tenant(), permissions());
  }

  /** For people: {@code generate,operate}. */
  public String permissions() {
    return Permission.text(identity.permissions(), ",");
  }

  /**
   * Reads a line.
   *
   * @throws IllegalArgumentException saying what is wrong with it, without the digest
   */
  static ApiKey parse(String line) {
    String[] words = line.strip().split("\\s+", -1);
    if (words.length != 4) {
      throw new IllegalArgumentException(
          words.length + " words (expected: digest, id, tenant, permissions)");
    }
    if (!words[0].toLowerCase(Locale.ROOT).matches("[0-9a-f]{64}")) {
      throw new IllegalArgumentException(
          "the first word is no SHA-256 (expected: 64 hexadecimal digits)");
    }
    return new ApiKey(
        words[0].toLowerCase(Locale.ROOT),
        new Identity(words[1], words[2], Permission.parse(words[3], ",")));
  }
}
