package dev.sluice.common.template;

/** A template is not valid, raised an error itself, or went beyond what a template may cost. */
public final class TemplateException extends RuntimeException {
  private final int line;

  TemplateException(String message, int line) {
    super("line " + line + ": " + message);
    this.line = line;
  }

  /** Line of the template, from 1. */
  public int line() {
    return line;
  }
}
