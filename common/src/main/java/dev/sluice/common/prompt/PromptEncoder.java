package dev.sluice.common.prompt;

import dev.sluice.common.error.RefusalException;
import dev.sluice.common.template.ChatTemplate;
import dev.sluice.common.template.TemplateException;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.v1.ChatMessage;
import dev.sluice.v1.ChatMessages;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Renders and tokenizes prompts of one model.
 *
 * <p>Threading: immutable; used by all calls at once. Does not own the tokenizer.
 */
public final class PromptEncoder {
  private final TokenizerBundle bundle;
  private final Tokenizer tokenizer;
  private final Optional<ChatTemplate> template;

  /**
   * @throws TemplateException if the bundle's chat template is not one
   */
  public PromptEncoder(TokenizerBundle bundle, Tokenizer tokenizer) {
    this.bundle = bundle;
    this.tokenizer = tokenizer;
    this.template =
        bundle.chatTemplate().isEmpty()
            ? Optional.empty()
            : Optional.of(ChatTemplate.compile(bundle.chatTemplate()));
  }

  /** Whether {@link #render} can work. */
  public boolean hasChatTemplate() {
    return template.isPresent();
  }

  /** Tokens of a text prompt. */
  public int[] encodeText(String text) {
    return tokenizer.encode(text);
  }

  /** Tokens of what {@link #render} returned. */
  public int[] encodeRendered(String text) {
    return tokenizer.encodeRendered(text);
  }

  /**
   * The text that the model's template makes of a conversation.
   *
   * @throws RefusalException if there is no template, or it does not accept the conversation
   */
  public String render(ChatMessages chat) {
    ChatTemplate compiled =
        template.orElseThrow(() ->
            RefusalException.invalid(
                "chat", "the model has no chat template (expected: text or token_ids)"));
    List<@Nullable Object> messages = new ArrayList<>();
    chat.getMessagesList().forEach(m -> messages.add(message(m)));
    boolean open = chat.getContinueFinalMessage();
    Map<String, @Nullable Object> context = new LinkedHashMap<>();
    context.put("bos_token", bundle.bosToken());
    context.put("eos_token", bundle.eosToken());
    context.putAll(ProtoValues.map(chat.getTemplateArguments()));
    context.put("messages", messages);
    context.put("tools", chat.getToolsCount() == 0 ? null : ProtoValues.maps(chat.getToolsList()));
    context.put(
        "add_generation_prompt",
        chat.hasAddGenerationPrompt() ? chat.getAddGenerationPrompt() : !open);
    try {
      String rendered = compiled.render(context);
      return open ? leaveOpen(rendered, chat) : rendered;
    } catch (TemplateException e) {
      throw RefusalException.invalid(
          "chat", "the chat template does not accept it: " + e.getMessage());
    }
  }

  private static Map<String, @Nullable Object> message(ChatMessage message) {
    Map<String, @Nullable Object> map = new LinkedHashMap<>();
    map.put("role", message.getRole());
    map.put("content", message.getContent());
    map.putAll(ProtoValues.map(message.getFields()));
    return map;
  }

  /** Cuts off what the template put after the last message, so that the model goes on with it. */
  private static String leaveOpen(String rendered, ChatMessages chat) {
    String last = chat.getMessages(chat.getMessagesCount() - 1).getContent();
    int at = rendered.lastIndexOf(last.strip());
    if (last.isBlank() || at < 0) {
      throw RefusalException.invalid(
          "chat.continue_final_message",
          "the rendered prompt does not contain the final message (expected: a message that the"
              + " template shows as it is)");
    }
    // Most templates trim messages; white space at the end stays if the template kept it.
    String kept = rendered.startsWith(last.stripLeading(), at) ? last.stripLeading() : last.strip();
    return rendered.substring(0, at + kept.length());
  }
}
