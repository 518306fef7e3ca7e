package dev.sluice.common.error;

import java.io.IOException;
import java.net.BindException;

/** A server could not listen on its address. The message names it and what to do about it. */
public final class ListenException extends RuntimeException {
  private final String host;
  private final int port;

  /**
   * @param what what would have listened there: {@code gRPC}, {@code metrics}
   */
  public ListenException(String what, String host, int port, IOException cause) {
    super(describe(what, host, port, cause), cause);
    this.host = host;
    this.port = port;
  }

  public String host() {
    return host;
  }

  public int port() {
    return port;
  }

  private static String describe(String what, String host, int port, IOException cause) {
    String reason = reason(cause);
    String advice =
        reason.contains("in use")
            ? "stop the process that has it or choose another port (0: any free one)"
            : "expected a local address and a port that this user may open";
    return "%s: cannot listen on %s:%d: %s (%s)".formatted(what, host, port, reason, advice);
  }

  private static String reason(Throwable cause) {
    Throwable deepest = cause;
    for (Throwable t = cause; t != null; t = t.getCause()) {
      deepest = t;
      if (t instanceof BindException) {
        break;
      }
    }
    String message = deepest.getMessage();
    return message == null ? deepest.getClass().getSimpleName() : message;
  }
}
