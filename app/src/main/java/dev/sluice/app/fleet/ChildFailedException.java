package dev.sluice.app.fleet;

/** A process of the fleet ended by itself or never got ready. */
public final class ChildFailedException extends RuntimeException {
  private final int status;

  /**
   * @param status its exit status
   * @param how what happened, for people
   * @param logTail the last lines that it wrote
   */
  ChildFailedException(String name, int status, String how, String logTail) {
    super(name + " " + how + (logTail.isEmpty() ? "" : ":\n" + logTail.indent(2).stripTrailing()));
    this.status = status;
  }

  /** Its exit status; 2 means wrong usage, configuration or model file. */
  public int status() {
    return status;
  }
}
