package dev.sluice.worker.service;

import dev.sluice.v1.ChatMessages;

/** What a conversation must look like before a template sees it. */
final class ChatChecks {
  private ChatChecks() {}

  static void check(ChatMessages chat, Violations violations) {
    violations.check(
        chat.getMessagesCount() > 0, "chat.messages", "empty (expected: at least 1 message)");
    for (int i = 0; i < chat.getMessagesCount(); i++) {
      if (chat.getMessages(i).getRole().isEmpty()) {
        violations.add(
            "chat.messages[" + i + "].role", "empty (expected: a role such as \"user\")");
      }
    }
    violations.check(
        !(chat.getContinueFinalMessage() && chat.getAddGenerationPrompt()),
        "chat.add_generation_prompt",
        "true beside continue_final_message (expected: one of the two)");
  }
}
