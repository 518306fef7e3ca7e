package dev.sluice.common.security;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** What an identity may do. */
public enum Permission {
  /** Generate, tokenize, list models. */
  GENERATE,
  /** See and drain workers, read metrics and schemas. */
  OPERATE,
  /** Speak for every tenant, and send what only routers know. */
  ROUTER;

  /** As configuration, key files and messages write it. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Reads {@code generate} or {@code generate+operate}.
   *
   * @param separator between two of them, a regular expression
   */
  static Set<Permission> parse(String text, String separator) {
    Set<Permission> permissions = EnumSet.noneOf(Permission.class);
    for (String label : text.split(separator, -1)) {
      permissions.add(
          Arrays.stream(values())
              .filter(permission -> permission.label().equals(label))
              .findFirst()
              .orElseThrow(() ->
                  new IllegalArgumentException(
                      "permission \"" + label + "\" (expected: generate, operate or router)")));
    }
    return permissions;
  }

  /** The labels, joined. */
  static String text(Set<Permission> permissions, String separator) {
    return permissions.stream()
        .sorted()
        .map(Permission::label)
        .collect(Collectors.joining(separator));
  }
}
