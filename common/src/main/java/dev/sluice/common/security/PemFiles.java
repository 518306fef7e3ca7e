package dev.sluice.common.security;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Certificates and private keys in PEM files. */
final class PemFiles {
  private static final Pattern PRIVATE_KEY =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----");
  private static final Pattern OTHER_KEY = Pattern.compile("-----BEGIN (\\w+ PRIVATE KEY)-----");
  private static final byte[] PROBE = "sluice".getBytes(StandardCharsets.US_ASCII);

  private PemFiles() {}

  /** All certificates of a file, in its order. */
  static X509Certificate[] certificates(String setting, Path file) {
    String text = SecretFiles.read(setting, file);
    try {
      Collection<? extends Certificate> found =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(
                  new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
      if (!found.isEmpty()) {
        return found.toArray(X509Certificate[]::new);
      }
    } catch (CertificateException e) {
      throw new SecurityFileException(
          setting + ": " + file + ": not a certificate in PEM: " + e.getMessage(), e);
    }
    throw new SecurityFileException(
        setting + ": " + file + ": no certificate in it (expected: PEM, BEGIN CERTIFICATE)");
  }

  /**
   * The private key that belongs to a certificate.
   *
   * @throws SecurityFileException if it is none, or another one's
   */
  static PrivateKey privateKey(String setting, Path file, X509Certificate certificate) {
    String text = SecretFiles.read(setting, file);
    Matcher pem = PRIVATE_KEY.matcher(text);
    if (!pem.find()) {
      Matcher other = OTHER_KEY.matcher(text);
      throw new SecurityFileException(
          setting
              + ": "
              + file
              + (other.find() ? ": holds an " + other.group(1) : ": no private key in it")
              + " (expected: PEM, BEGIN PRIVATE KEY, not encrypted; openssl pkcs8 -topk8 -nocrypt"
              + " converts others)");
    }
    PublicKey publicKey = certificate.getPublicKey();
    PrivateKey key;
    try {
      byte[] der = Base64.getMimeDecoder().decode(pem.group(1));
      key =
          KeyFactory.getInstance(publicKey.getAlgorithm())
              .generatePrivate(new PKCS8EncodedKeySpec(der));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new SecurityFileException(
          setting
              + ": "
              + file
              + ": not a key of the certificate's kind (expected: "
              + publicKey.getAlgorithm()
              + ")",
          e);
    }
    if (!belong(key, publicKey)) {
      throw new SecurityFileException(
          setting
              + ": "
              + file
              + ": does not belong to the certificate of "
              + certificate.getSubjectX500Principal());
    }
    return key;
  }

  private static boolean belong(PrivateKey key, PublicKey publicKey) {
    String algorithm =
        switch (publicKey.getAlgorithm()) {
          case "RSA", "RSASSA-PSS" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          default -> publicKey.getAlgorithm(); // EdDSA is both
        };
    try {
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(key);
      signature.update(PROBE);
      byte[] signed = signature.sign();
      signature.initVerify(publicKey);
      signature.update(PROBE);
      return signature.verify(signed);
    } catch (GeneralSecurityException _) {
      return false;
    }
  }
}
