package dev.sluice.common.security;

/** A file with keys or certificates cannot be used. The message names its setting and the file. */
public final class SecurityFileException extends RuntimeException {
  private static final long serialVersionUID = 1;

  SecurityFileException(String message) {
    super(message);
  }

  SecurityFileException(String message, Throwable cause) {
    super(message, cause);
  }
}
