package dev.sluice.worker.service;

import dev.sluice.common.prompt.PromptEncoder;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.v1.Model;
import java.util.List;

/**
 * The one model that a worker serves, as its services see it.
 *
 * @param id what requests call it
 * @param workerId who serves it
 * @param bundle its tokenizer's files
 * @param tokenizer its tokenizer, loaded
 * @param prompts renders and tokenizes for it
 * @param description what clients are told of it
 */
record ServedModel(
    String id,
    String workerId,
    TokenizerBundle bundle,
    Tokenizer tokenizer,
    PromptEncoder prompts,
    Model description) {
  List<Integer> eosTokenIds() {
    return bundle.eosTokenIds();
  }
}
