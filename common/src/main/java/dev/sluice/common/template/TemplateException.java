package dev.sluice.common.template;

/** A template cannot be compiled or does not accept its context. */
public final class TemplateException extends RuntimeException {
  public TemplateException(String message) {
    super(message);
  }
}
