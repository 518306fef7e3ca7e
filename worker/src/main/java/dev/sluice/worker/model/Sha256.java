package dev.sluice.worker.model;

import dev.sluice.common.digest.Digests;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;

/** SHA-256 in hex. */
final class Sha256 {
  private static final long PIECE_BYTES = 1 << 20;

  private Sha256() {}

  static String of(MemorySegment content) {
    MessageDigest digest = Digests.sha256();
    for (long at = 0; at < content.byteSize(); at += PIECE_BYTES) {
      long bytes = Math.min(PIECE_BYTES, content.byteSize() - at);
      digest.update(content.asSlice(at, bytes).asByteBuffer());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  static String of(Path file, Progress progress) throws IOException {
    MessageDigest digest = Digests.sha256();
    try (InputStream in = Files.newInputStream(file);
        OutputStream out = new DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
      Copy.all(in, out, 0, Files.size(file), "verifying " + file.getFileName(), progress);
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
