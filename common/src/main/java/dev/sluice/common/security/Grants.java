package dev.sluice.common.security;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;

/**
 * What the names in certificates stand for.
 *
 * @param byName identities by DNS name, URI or common name
 */
record Grants(Map<String, Identity> byName) {
  private static final int URI = 6; // kinds of GeneralName, RFC 5280
  private static final int DNS = 2;
  private static final String EXPECTED =
      " (expected: NAME=TENANT:PERMISSION+PERMISSION, such as ops=ops:operate, or"
          + " router.example=*:router)";

  Grants {
    byName = Map.copyOf(byName);
  }

  /**
   * @throws IllegalArgumentException naming the wrong item
   */
  static Grants of(List<String> items) {
    Map<String, Identity> byName = new HashMap<>();
    for (String item : items) {
      int equals = item.lastIndexOf('=');
      int colon = item.lastIndexOf(':');
      if (equals < 1 || colon < equals) {
        throw new IllegalArgumentException("certificates: " + item + EXPECTED);
      }
      String name = item.substring(0, equals);
      Identity identity;
      try {
        identity =
            new Identity(
                name,
                item.substring(equals + 1, colon),
                Permission.parse(item.substring(colon + 1), "\\+"));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("certificates: " + item + ": " + e.getMessage(), e);
      }
      if (byName.put(name, identity) != null) {
        throw new IllegalArgumentException("certificates: " + item + " (expected: each name once)");
      }
    }
    return new Grants(byName);
  }

  /** Who shows this certificate, which a handshake has found good. */
  Optional<Identity> find(X509Certificate certificate) {
    for (String name : names(certificate)) {
      Identity identity = byName.get(name);
      if (identity != null) {
        return Optional.of(identity);
      }
    }
    return Optional.empty();
  }

  /** Its DNS names and URIs, then the subject's common name. */
  static List<String> names(X509Certificate certificate) {
    List<String> names = new ArrayList<>();
    try {
      Collection<List<?>> alternatives = certificate.getSubjectAlternativeNames();
      if (alternatives != null) {
        for (List<?> alternative : alternatives) {
          if (alternative.get(0) instanceof Integer kind
              && (kind == DNS || kind == URI)
              && alternative.get(1) instanceof String name) {
            names.add(name);
          }
        }
      }
      for (Rdn part : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns()) {
        if (part.getType().equalsIgnoreCase("CN") && part.getValue() instanceof String name) {
          names.add(name);
        }
      }
    } catch (CertificateParsingException | InvalidNameException _) {
      return names; // what cannot be read names nobody
    }
    return names;
  }
}
