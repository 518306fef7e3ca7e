package dev.sluice.client;

import dev.sluice.v1.ChatMessage;
import dev.sluice.v1.ChatMessages;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.TokenIds;

/**
 * A short way to a {@link GenerateRequest} for what most callers ask for; {@link #toBuilder} gives
 * the rest of the contract. Values are checked by the server, which names every violation.
 *
 * <p>Threading: mutable, for one thread.
 */
public final class GenerateOptions {
  private final GenerateRequest.Builder request;

  private GenerateOptions(GenerateRequest.Builder request) {
    this.request = request;
  }

  /** One user message, rendered by the model's chat template. */
  public static GenerateOptions chat(String userMessage) {
    return new GenerateOptions(GenerateRequest.newBuilder()).message("user", userMessage);
  }

  /** A conversation, oldest message first, rendered by the model's chat template. */
  public static GenerateOptions chat(Iterable<ChatMessage> messages) {
    return new GenerateOptions(
        GenerateRequest.newBuilder().setChat(ChatMessages.newBuilder().addAllMessages(messages)));
  }

  /** A text that the model goes on with, as it is. */
  public static GenerateOptions text(String prompt) {
    return new GenerateOptions(GenerateRequest.newBuilder().setText(prompt));
  }

  /** Tokens that the model goes on with. */
  public static GenerateOptions tokens(Iterable<Integer> tokenIds) {
    return new GenerateOptions(
        GenerateRequest.newBuilder().setTokenIds(TokenIds.newBuilder().addAllIds(tokenIds)));
  }

  /** Adds a message at the end of the conversation; replaces a text or token prompt. */
  public GenerateOptions message(String role, String content) {
    request
        .getChatBuilder()
        .addMessages(ChatMessage.newBuilder().setRole(role).setContent(content));
    return this;
  }

  /** Puts a system message before the conversation; replaces a text or token prompt. */
  public GenerateOptions system(String content) {
    request
        .getChatBuilder()
        .addMessages(0, ChatMessage.newBuilder().setRole("system").setContent(content));
    return this;
  }

  /** A model's id or alias. Default: the only one served. */
  public GenerateOptions model(String idOrAlias) {
    request.setModel(idOrAlias);
    return this;
  }

  /** 0 (greedy) to 2. Default 1. */
  public GenerateOptions temperature(double temperature) {
    request.getSamplingBuilder().setTemperature((float) temperature);
    return this;
  }

  /** Keeps the k most likely tokens; 0 keeps all. Default 0. */
  public GenerateOptions topK(int k) {
    request.getSamplingBuilder().setTopK(k);
    return this;
  }

  /** Keeps the fewest most likely tokens of this mass, above 0 to 1. Default 1. */
  public GenerateOptions topP(double mass) {
    request.getSamplingBuilder().setTopP((float) mass);
    return this;
  }

  /** Fixes the randomness. Default: a random seed, reported in {@code Started}. */
  public GenerateOptions seed(long seed) {
    request.getSamplingBuilder().setSeed(seed);
    return this;
  }

  /** Most output tokens per choice, at least 1. Default: what fits the context. */
  public GenerateOptions maxTokens(int tokens) {
    request.getStoppingBuilder().setMaxTokens(tokens);
    return this;
  }

  /** Adds strings that end a choice where they appear in its text. */
  public GenerateOptions stop(String... strings) {
    for (String stop : strings) {
      request.getStoppingBuilder().addStop(stop);
    }
    return this;
  }

  /** Requests of one conversation carry one id, so that they meet their cached prefix. */
  public GenerateOptions session(String sessionId) {
    request.setSessionId(sessionId);
    return this;
  }

  /** The message built so far, for fields that have no method here; changes are not shared. */
  public GenerateRequest.Builder toBuilder() {
    return request.clone();
  }

  public GenerateRequest build() {
    return request.build();
  }
}
