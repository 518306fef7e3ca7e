package dev.sluice.common.error;

import java.util.List;

/** Carries a {@link Refusal} to where a call is answered. Has no stack trace: it is no fault. */
public final class RefusalException extends RuntimeException {
  private final transient Refusal refusal;

  public RefusalException(Refusal refusal) {
    super(refusal.message(), null, false, false);
    this.refusal = refusal;
  }

  /** A refusal for one wrong field. */
  public static RefusalException invalid(String field, String description) {
    return new RefusalException(
        new Refusal.Invalid(List.of(new Refusal.Violation(field, description))));
  }

  public Refusal refusal() {
    return refusal;
  }
}
