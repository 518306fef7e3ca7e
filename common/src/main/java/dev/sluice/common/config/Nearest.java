package dev.sluice.common.config;

import java.util.Collection;

/** Finds what somebody probably meant. */
public final class Nearest {
  private Nearest() {}

  /** {@code (did you mean X?)}, or what is known where nothing is similar. */
  static String hint(String unknown, Collection<String> known) {
    String best = "";
    int bestDistance = Integer.MAX_VALUE;
    for (String candidate : known) {
      int distance =
          lastPart(candidate).equals(lastPart(unknown)) ? 1 : distance(unknown, candidate);
      if (distance < bestDistance) {
        bestDistance = distance;
        best = candidate;
      }
    }
    return bestDistance <= Math.max(2, unknown.length() / 2)
        ? "(did you mean " + best + "?)"
        : "(expected one of: " + String.join(", ", known) + ")";
  }

  private static String lastPart(String key) {
    return key.substring(key.lastIndexOf('.') + 1);
  }

  /** Letters to add, drop or change to make one text of the other (Levenshtein's distance). */
  public static int distance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] current = new int[b.length() + 1];
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substitute = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(substitute, 1 + Math.min(previous[j], current[j - 1]));
      }
      previous = current;
    }
    return previous[b.length()];
  }
}
