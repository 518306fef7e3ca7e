package dev.sluice.common.security;

import io.grpc.util.AdvancedTlsX509TrustManager;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;

/** Whose signatures count. Threading: the manager is thread-safe. */
final class Authorities {
  private Authorities() {}

  /**
   * Those of a file, which is followed.
   *
   * @param setting for messages: {@code tls.client-ca}
   */
  static AdvancedTlsX509TrustManager follow(String setting, Path file, FileWatch watch) {
    try {
      // also checks a server's name against the address; clients have none to check
      AdvancedTlsX509TrustManager manager = AdvancedTlsX509TrustManager.newBuilder().build();
      watch.follow(List.of(file), () -> load(setting, file, manager));
      return manager;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("cannot be: nothing is loaded yet", e);
    }
  }

  private static void load(String setting, Path file, AdvancedTlsX509TrustManager manager) {
    try {
      manager.updateTrustCredentials(PemFiles.certificates(setting, file));
    } catch (IOException | GeneralSecurityException e) {
      throw new SecurityFileException(
          setting + ": " + file + ": cannot be used: " + e.getMessage(), e);
    }
  }
}
