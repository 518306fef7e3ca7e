package dev.sluice.worker.constraint;

import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Formats of JSON Schema that are known, as regular expressions. Each accepts a part of what the
 * format allows, the part that is usual; so February has 28 days.
 */
final class Formats {
  private static final String DATE =
      "[12]\\d{3}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)"
          + "|02-(0[1-9]|1\\d|2[0-8]))";
  private static final String TIME = "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?";
  private static final String OFFSET = "(Z|[+-](0\\d|1[0-4]):[0-5]\\d)";
  private static final String LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?";
  private static final String HOST = LABEL + "(\\." + LABEL + "){0,3}";

  /** Top-level domains: validators tend to know them. */
  private static final String DOMAIN =
      "(com|org|net|edu|gov|info|io|dev|app|ai|co|me|tv|us|ca|mx|br|ar|cl|uk|ie|de|at|ch|fr|be|nl"
          + "|it|es|pt|dk|no|se|fi|pl|cz|hu|gr|eu|ua|tr|il|eg|ke|ng|za|in|cn|hk|tw|jp|kr|sg|au|nz)";

  private static final String OCTET = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
  private static final String PATH = "(/[A-Za-z0-9_~.-]{0,40}){0,8}";

  private static final Map<String, String> PATTERNS =
      Map.ofEntries(
          Map.entry("date", DATE),
          Map.entry("time", TIME + "Z"),
          Map.entry("date-time", DATE + "T" + TIME + OFFSET),
          Map.entry("duration", "P(\\d{1,4}D|\\d{1,4}W|T\\d{1,4}H|T\\d{1,4}M|T\\d{1,4}S)"),
          Map.entry(
              "email",
              "[A-Za-z0-9_]([A-Za-z0-9_+-]|\\.[A-Za-z0-9_+-]){0,30}@"
                  + "("
                  + LABEL
                  + "\\.){1,3}"
                  + DOMAIN),
          Map.entry("hostname", HOST),
          Map.entry("ipv4", OCTET + "(\\." + OCTET + "){3}"),
          Map.entry("ipv6", "[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}"),
          Map.entry("uuid", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
          Map.entry("uri", "https?://" + HOST + "(:[1-9]\\d{1,3})?" + PATH));

  private Formats() {}

  /** What strings of this format look like, if it is known. */
  static Optional<String> pattern(String format) {
    return Optional.ofNullable(PATTERNS.get(format));
  }

  /** Names that {@link #pattern} knows, for messages. */
  static String known() {
    return String.join(", ", new TreeSet<>(PATTERNS.keySet()));
  }
}
