package dev.sluice.common.template;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Placeholder until the template engine lands. */
public final class ChatTemplate {
  private ChatTemplate() {}

  public static ChatTemplate compile(String source) {
    return new ChatTemplate();
  }

  public String render(Map<String, @Nullable Object> context) {
    throw new TemplateException("not there yet");
  }
}
