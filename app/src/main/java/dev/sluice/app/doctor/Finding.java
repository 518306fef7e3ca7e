package dev.sluice.app.doctor;

/**
 * What was found out about one thing.
 *
 * @param check what was looked at, such as {@code memory}
 * @param verdict how it is
 * @param detail what was found, with its values
 * @param advice what to do about it; empty if there is nothing to do
 */
record Finding(String check, Verdict verdict, String detail, String advice) {
  /** How something is. */
  enum Verdict {
    OK("ok"),
    /** It works, but not as well as it could, or not for everything. */
    WARNING("warning"),
    /** Sluice does not run so. */
    PROBLEM("problem");

    private final String text;

    Verdict(String text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  static Finding ok(String check, String detail) {
    return new Finding(check, Verdict.OK, detail, "");
  }

  static Finding warning(String check, String detail, String advice) {
    return new Finding(check, Verdict.WARNING, detail, advice);
  }

  static Finding problem(String check, String detail, String advice) {
    return new Finding(check, Verdict.PROBLEM, detail, advice);
  }
}
