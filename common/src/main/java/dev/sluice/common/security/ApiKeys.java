package dev.sluice.common.security;

import dev.sluice.common.digest.Digests;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Keys by their digests. Threading: immutable. */
final class ApiKeys {
  static final ApiKeys NONE = new ApiKeys(List.of());

  private final Map<Long, Entry> byPrefix = new HashMap<>(); // first 8 bytes of the digest

  ApiKeys(List<ApiKey> keys) {
    for (ApiKey key : keys) {
      byte[] digest = HexFormat.of().parseHex(key.digest());
      byPrefix.put(prefix(digest), new Entry(digest, key.identity()));
    }
  }

  int size() {
    return byPrefix.size();
  }

  /**
   * Whose key it is. How long it takes tells nothing of the keys: only digests are compared, and
   * these in constant time.
   */
  Optional<Identity> find(String key) {
    byte[] digest = Digests.sha256(key);
    Entry entry = byPrefix.get(prefix(digest));
    return entry != null && MessageDigest.isEqual(entry.digest, digest)
        ? Optional.of(entry.identity)
        : Optional.empty();
  }

  private static long prefix(byte[] digest) {
    return ByteBuffer.wrap(digest).getLong();
  }

  private static final class Entry {
    final byte[] digest;
    final Identity identity;

    Entry(byte[] digest, Identity identity) {
      this.digest = digest;
      this.identity = identity;
    }
  }
}
