package dev.sluice.worker.service;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.Sampling;

/**
 * Names the fields of the contract whose behaviour does not exist yet. A field is refused, never
 * silently ignored; a value that asks for nothing is accepted.
 */
final class UnsupportedFields {
  private UnsupportedFields() {}

  static void refuse(GenerateRequest r) {
    Sampling s = r.getSampling();
    refuseIf(r.hasBeam(), "beam");
    refuseIf(r.hasN() && r.getN() != 1, "n");
    refuseIf(r.getLogprobs().hasOutput(), "logprobs.output");
    refuseIf(r.getLogprobs().hasPrompt(), "logprobs.prompt");
    refuseIf(r.hasConstraint(), "constraint");
    refuseIf(r.getHop().hasResume(), "hop.resume");
    refuseIf(s.getMinP() != 0, "sampling.min_p");
    refuseIf(s.hasTypicalP() && s.getTypicalP() != 1, "sampling.typical_p");
    refuseIf(
        s.hasRepetitionPenalty() && s.getRepetitionPenalty() != 1, "sampling.repetition_penalty");
    refuseIf(s.getPresencePenalty() != 0, "sampling.presence_penalty");
    refuseIf(s.getFrequencyPenalty() != 0, "sampling.frequency_penalty");
    refuseIf(s.getLogitBiasCount() > 0, "sampling.logit_bias");
    refuseIf(s.getAllowedTokenIdsCount() > 0, "sampling.allowed_token_ids");
    refuseIf(s.getBannedTokenIdsCount() > 0, "sampling.banned_token_ids");
  }

  private static void refuseIf(boolean asked, String field) {
    if (asked) {
      throw new RefusalException(
          new Refusal.Unimplemented(field, field + ": not implemented in this version"));
    }
  }
}
