package dev.sluice.common.template;

/**
 * An error while a template is rendered, before its line is known: {@link ChatTemplate} turns it
 * into a {@link TemplateException}.
 */
final class Failure extends RuntimeException {
  private final String reason;

  Failure(String reason) {
    super(reason, null, false, false);
    this.reason = reason;
  }

  String reason() {
    return reason;
  }
}
