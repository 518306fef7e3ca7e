package dev.sluice.worker.service;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.v1.GenerateRequest;

/**
 * Names the fields of the contract whose behaviour does not exist yet. A field is refused, never
 * silently ignored; a value that asks for nothing is accepted.
 */
final class UnsupportedFields {
  private UnsupportedFields() {}

  static void refuse(GenerateRequest r) {
    refuseIf(r.hasBeam(), "beam");
  }

  private static void refuseIf(boolean asked, String field) {
    if (asked) {
      throw new RefusalException(
          new Refusal.Unimplemented(field, field + ": not implemented in this version"));
    }
  }
}
