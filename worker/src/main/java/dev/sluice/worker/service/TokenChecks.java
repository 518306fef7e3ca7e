package dev.sluice.worker.service;

/** Checks of token ids. */
final class TokenChecks {
  private TokenChecks() {}

  /** Names the first id that is out of range: a wrong prompt tends to have thousands. */
  static void check(
      String field, Iterable<Integer> ids, int vocabularySize, Violations violations) {
    int index = 0;
    for (int id : ids) {
      if (Integer.compareUnsigned(id, vocabularySize) >= 0) {
        violations.add(
            field + "[" + index + "]",
            Integer.toUnsignedString(id) + " (expected: 0 to " + (vocabularySize - 1) + ")");
        return;
      }
      index++;
    }
  }
}
