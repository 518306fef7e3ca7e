package dev.sluice.common.security;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.concurrent.atomic.AtomicLong;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Signs certificates for tests. Threading: thread-safe. */
final class TestAuthority {
  private static final AtomicLong SERIAL = new AtomicLong(1);
  private static final Duration DAY = Duration.ofDays(1);

  private final String name;
  private final KeyPair keys = keyPair();
  private final X509Certificate certificate;

  /** Files of one certificate and its key. */
  record Issued(Path certificate, Path privateKey) {}

  TestAuthority(String name) {
    this.name = name;
    certificate = sign(name, keys, Instant.now().plus(DAY), true);
  }

  /** Its own certificate, in a file. */
  Path file(Path folder) {
    return write(folder.resolve(name + ".ca.pem"), "CERTIFICATE", encoded(certificate));
  }

  /** A certificate for this name and for localhost, good for a day. */
  Issued issue(Path folder, String subject) {
    return issue(folder, subject, Instant.now().plus(DAY));
  }

  Issued issue(Path folder, String subject, Instant end) {
    KeyPair own = keyPair();
    X509Certificate issued = sign(subject, own, end, false);
    String file = subject + "-" + SERIAL.get();
    return new Issued(
        write(folder.resolve(file + ".pem"), "CERTIFICATE", encoded(issued)),
        write(folder.resolve(file + ".key"), "PRIVATE KEY", own.getPrivate().getEncoded()));
  }

  private X509Certificate sign(String subject, KeyPair own, Instant end, boolean authority) {
    try {
      JcaX509v3CertificateBuilder builder =
          new JcaX509v3CertificateBuilder(
              new X500Principal("CN=" + name),
              BigInteger.valueOf(SERIAL.getAndIncrement()),
              Date.from(end.minus(DAY).minus(DAY)),
              Date.from(end),
              new X500Principal("CN=" + subject),
              own.getPublic());
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
      if (!authority) {
        builder.addExtension(
            Extension.subjectAlternativeName,
            false,
            new GeneralNames(
                new GeneralName[] {
                  new GeneralName(GeneralName.dNSName, subject),
                  new GeneralName(GeneralName.dNSName, "localhost"),
                  new GeneralName(GeneralName.iPAddress, "127.0.0.1")
                }));
      }
      PrivateKey signer = keys.getPrivate();
      return new JcaX509CertificateConverter()
          .getCertificate(
              builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(signer)));
    } catch (GeneralSecurityException | CertIOException | OperatorCreationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static KeyPair keyPair() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(256);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] encoded(X509Certificate certificate) {
    try {
      return certificate.getEncoded();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Path write(Path file, String label, byte[] der) {
    String text =
        "-----BEGIN "
            + label
            + "-----\n"
            + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
            + "\n-----END "
            + label
            + "-----\n";
    try {
      return Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
