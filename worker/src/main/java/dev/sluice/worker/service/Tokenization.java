package dev.sluice.worker.service;

import dev.sluice.common.prompt.PromptEncoder;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.common.tokenizer.TokenizerBundle;

/**
 * What turns a model's text into tokens and back.
 *
 * @param bundle the tokenizer's files
 * @param tokenizer the tokenizer, loaded; its owner closes it
 * @param prompts renders and tokenizes with it
 */
public record Tokenization(TokenizerBundle bundle, Tokenizer tokenizer, PromptEncoder prompts) {}
