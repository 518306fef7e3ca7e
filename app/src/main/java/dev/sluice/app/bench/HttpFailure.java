package dev.sluice.app.bench;

/** A request by HTTP that got no answer, or not all of it. */
final class HttpFailure extends Exception {
  private final String kind;
  private final String detail;

  /**
   * @param kind what failures are counted by, such as {@code HTTP 429 queue_full}
   * @param detail more of it; may be empty
   */
  HttpFailure(String kind, String detail) {
    super(detail.isEmpty() ? kind : kind + ": " + detail);
    this.kind = kind;
    this.detail = detail;
  }

  HttpFailure(String kind, String detail, Throwable cause) {
    this(kind, detail);
    initCause(cause);
  }

  String kind() {
    return kind;
  }

  String detail() {
    return detail;
  }
}
