package dev.sluice.app.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** In which form a prompt is sent by OpenAI's API. */
enum PromptForm {
  /** Words to {@code completions}. */
  TEXT("openai", "completions") {
    @Override
    Conversation begin() {
      return new TextConversation();
    }
  },

  /** Token ids to {@code completions}. */
  TOKEN_IDS("openai", "completions") {
    @Override
    Conversation begin() {
      return new TokenConversation();
    }
  },

  /** Messages to {@code chat/completions}. */
  CHAT("openai-chat", "chat/completions") {
    @Override
    Conversation begin() {
      return new ChatConversation();
    }
  };

  private final String backend;
  private final String path;

  PromptForm(String backend, String path) {
    this.backend = backend;
    this.path = path;
  }

  /** The name of the protocol in {@code vllm bench}. */
  String backend() {
    return backend;
  }

  /** Of the endpoint, after the base URL. */
  String path() {
    return path;
  }

  /** An empty conversation. */
  abstract Conversation begin();

  /** The name on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** What was said so far, by both. Threading: one thread. */
  interface Conversation {
    /** The user says more. */
    void ask(List<Integer> tokens);

    /** Writes the prompt. */
    void writeTo(ObjectNode body);

    /** The model has answered. */
    void answered(String text, List<Integer> tokens);

    /** Whether {@link #answered} needs the tokens. */
    default boolean needsTokens() {
      return false;
    }
  }

  private static final class TextConversation implements Conversation {
    private final StringBuilder said = new StringBuilder();

    @Override
    public void ask(List<Integer> tokens) {
      Words.append(said, tokens);
    }

    @Override
    public void writeTo(ObjectNode body) {
      body.put("prompt", said.toString());
    }

    @Override
    public void answered(String text, List<Integer> tokens) {
      said.append(text);
    }
  }

  private static final class TokenConversation implements Conversation {
    private final List<Integer> said = new ArrayList<>();

    @Override
    public void ask(List<Integer> tokens) {
      said.addAll(tokens);
    }

    @Override
    public void writeTo(ObjectNode body) {
      ArrayNode prompt = body.putArray("prompt");
      said.forEach(prompt::add);
    }

    @Override
    public void answered(String text, List<Integer> tokens) {
      said.addAll(tokens);
    }

    @Override
    public boolean needsTokens() {
      return true;
    }
  }

  private static final class ChatConversation implements Conversation {
    private record Message(String role, String content) {}

    private final List<Message> said = new ArrayList<>();

    @Override
    public void ask(List<Integer> tokens) {
      StringBuilder words = new StringBuilder();
      Words.append(words, tokens);
      said.add(new Message("user", words.toString()));
    }

    @Override
    public void writeTo(ObjectNode body) {
      ArrayNode messages = body.putArray("messages");
      said.forEach(m -> messages.addObject().put("role", m.role).put("content", m.content));
    }

    @Override
    public void answered(String text, List<Integer> tokens) {
      said.add(new Message("assistant", text));
    }
  }
}
