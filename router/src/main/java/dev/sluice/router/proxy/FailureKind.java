package dev.sluice.router.proxy;

/** What the end of an attempt says about its worker, and so what becomes of the request. */
enum FailureKind {
  /** Broke with the request on board: another worker may do better, or die as well. */
  DIED("died"),
  /** Never had the request. */
  UNREACHABLE("unreachable"),
  /** Drains or stops, and has given the request back. */
  DRAINED("drained"),
  /** Still there, but its engine stands still, or it has fallen silent. */
  STALLED("stalled"),
  /** Has no room: no failure, but another one may have. */
  BUSY("busy"),
  /** The request's own fault or fate: every worker would say the same. */
  FINAL("refused");

  private final String label;

  FailureKind(String label) {
    this.label = label;
  }

  /** For metrics and spans. */
  String label() {
    return label;
  }
}
