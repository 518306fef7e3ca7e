package dev.sluice.app.generate;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import dev.sluice.app.cli.UsageException;
import dev.sluice.v1.ChatMessage;
import dev.sluice.v1.ChatMessages;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.TokenIds;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What to continue: a message, raw text, token ids, or a conversation from a file. */
final class PromptOptions {
  @Parameters(
      arity = "0..1",
      paramLabel = "PROMPT",
      description = "What the user says; - reads it from standard input.")
  private @Nullable String prompt;

  @Option(names = "--system", paramLabel = "TEXT", description = "A system message before it.")
  private @Nullable String system;

  @Option(names = "--raw", description = "Continue PROMPT as it is, without the chat template.")
  private boolean raw;

  @Option(
      names = "--token-ids",
      split = ",",
      paramLabel = "ID",
      description = "Continue these tokens in place of PROMPT.")
  private List<Integer> tokenIds = List.of();

  @Option(
      names = "--messages",
      paramLabel = "JSON",
      description =
          "A conversation in place of PROMPT: a list of {\"role\", \"content\"}, or an object with"
              + " messages and tools; @FILE reads it from a file.")
  private @Nullable String messages;

  @Option(
      names = "--template-argument",
      paramLabel = "NAME=JSON",
      description = "A further variable for the chat template. Repeatable.")
  private Map<String, String> templateArguments = new LinkedHashMap<>();

  @Option(
      names = "--continue-final-message",
      description = "Go on with the last message in place of answering it.")
  private boolean continueFinalMessage;

  @Option(
      names = "--no-generation-prompt",
      description = "Leave out the header of the assistant's answer.")
  private boolean noGenerationPrompt;

  void addTo(GenerateRequest.Builder request, InputStream input) {
    int kinds =
        (prompt == null ? 0 : 1) + (tokenIds.isEmpty() ? 0 : 1) + (messages == null ? 0 : 1);
    if (kinds != 1) {
      throw new UsageException(
          kinds == 0
              ? "no prompt (expected: PROMPT, - for standard input, --messages or --token-ids)"
              : "PROMPT, --messages and --token-ids exclude each other");
    }
    if (!tokenIds.isEmpty()) {
      request.setTokenIds(TokenIds.newBuilder().addAllIds(tokenIds));
    } else if (raw && prompt != null) {
      request.setText(text(prompt, input));
    } else {
      request.setChat(chat(input));
    }
    boolean forTemplate =
        system != null
            || continueFinalMessage
            || noGenerationPrompt
            || !templateArguments.isEmpty()
            || (messages != null && raw);
    if (forTemplate && (raw || !tokenIds.isEmpty())) {
      throw new UsageException(
          "--system, --messages and what is for the chat template exclude --raw and --token-ids");
    }
  }

  private ChatMessages chat(InputStream input) {
    ChatMessages.Builder chat = ChatMessages.newBuilder();
    if (messages != null) {
      String json = TextArgument.read(messages).strip();
      parse("--messages", json.startsWith("[") ? "{\"messages\":" + json + "}" : json, chat);
    }
    if (system != null) {
      chat.addMessages(0, message("system", system));
    }
    if (prompt != null) {
      chat.addMessages(message("user", text(prompt, input)));
    }
    if (continueFinalMessage) {
      chat.setContinueFinalMessage(true);
    }
    if (noGenerationPrompt) {
      chat.setAddGenerationPrompt(false);
    }
    if (!templateArguments.isEmpty()) {
      StringBuilder json = new StringBuilder("{");
      templateArguments.forEach((name, value) ->
          json.append(json.length() > 1 ? "," : "")
              .append('"')
              .append(name)
              .append("\":")
              .append(value));
      parse("--template-argument", json.append('}').toString(), chat.getTemplateArgumentsBuilder());
    }
    return chat.build();
  }

  private static void parse(
      String option, String json, com.google.protobuf.Message.Builder destination) {
    try {
      JsonFormat.parser().merge(json, destination);
    } catch (InvalidProtocolBufferException e) {
      throw new UsageException(option + ": " + e.getMessage(), e);
    }
  }

  private static ChatMessage message(String role, String content) {
    return ChatMessage.newBuilder().setRole(role).setContent(content).build();
  }

  private static String text(String prompt, InputStream input) {
    if (!prompt.equals("-")) {
      return prompt;
    }
    try {
      return new String(input.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
