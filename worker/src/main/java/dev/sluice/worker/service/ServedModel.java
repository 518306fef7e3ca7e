package dev.sluice.worker.service;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.common.tokenizer.TextStream;
import dev.sluice.v1.Model;
import java.util.List;
import java.util.Optional;

/**
 * The one model that a worker serves, as its services see it.
 *
 * @param id what requests call it
 * @param workerId who serves it
 * @param form what the engine takes and gives
 * @param tokenizing its tokenizer, if this process has it
 * @param description what clients are told of it
 */
record ServedModel(
    String id,
    String workerId,
    ModelForm form,
    Optional<Tokenization> tokenizing,
    Model description) {
  /**
   * Its tokenizer.
   *
   * @throws RefusalException if this process has none
   */
  Tokenization tokenization() {
    return tokenizing.orElseThrow(() ->
        new RefusalException(
            new Refusal.Unimplemented(
                "tokenizer",
                "tokenizer: none (this worker's model tokenizes by itself; expected for this call:"
                    + " a worker with triton.tokenizer)")));
  }

  /** For the tokens of one choice; none if the engine gives text itself. */
  Optional<TextStream> textStream() {
    return switch (form) {
      case TOKENS -> Optional.of(tokenization().tokenizer().textStream());
      case TEXT -> Optional.empty();
    };
  }

  List<Integer> eosTokenIds() {
    return tokenizing.map(known -> known.bundle().eosTokenIds()).orElse(List.of());
  }
}
