package dev.sluice.router.edge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ListValue;
import com.google.protobuf.NullValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.sluice.v1.ChatMessage;
import dev.sluice.v1.ChatMessages;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The fields of a chat request that make up its prompt. */
public final class ChatFields {
  private ChatFields() {}

  /** The conversation, and how the template renders it. */
  public static ChatMessages read(Fields fields) {
    ChatMessages.Builder chat = ChatMessages.newBuilder();
    if (!fields.isSet("messages")) {
      fields.refuse("messages", "at least 1 message");
    }
    fields.objects("messages").forEach(message -> chat.addMessages(message(message)));
    if (fields.get("add_generation_prompt").isPresent()) {
      chat.setAddGenerationPrompt(fields.flag("add_generation_prompt", true));
    }
    chat.setContinueFinalMessage(fields.flag("continue_final_message", false));
    fields
        .object("chat_template_kwargs")
        .ifPresent(arguments -> chat.setTemplateArguments(struct(arguments.json())));
    return chat.build();
  }

  private static ChatMessage message(Fields message) {
    ChatMessage.Builder built = ChatMessage.newBuilder();
    Optional<String> role = message.text("role");
    if (message.get("role").isEmpty()) {
      message.refuse("role", "who speaks, such as \"user\"");
    }
    // OpenAI's newer name for the same role
    role.ifPresent(r -> built.setRole(r.equals("developer") ? "system" : r));
    message.get("content").ifPresent(content -> built.setContent(content(message, content)));
    ObjectNode others = message.json().deepCopy();
    others.remove(List.of("role", "content"));
    if (!others.isEmpty()) {
      built.setFields(struct(others));
    }
    return built.build();
  }

  /** A string, or parts that are texts, which make up one text, line by line as in vLLM. */
  private static String content(Fields message, JsonNode content) {
    if (content.isTextual()) {
      return content.textValue();
    }
    List<String> texts = new ArrayList<>();
    if (content.isArray()) {
      for (JsonNode part : content) {
        if (!part.path("type").asText().equals("text") || !part.path("text").isTextual()) {
          break;
        }
        texts.add(part.path("text").textValue());
      }
    }
    if (!content.isArray() || texts.size() < content.size()) {
      message.refuse("content", "a string or a list of parts of type \"text\"");
    }
    return String.join("\n", texts);
  }

  static Struct struct(ObjectNode object) {
    Struct.Builder struct = Struct.newBuilder();
    for (Map.Entry<String, JsonNode> entry : object.properties()) {
      struct.putFields(entry.getKey(), value(entry.getValue()));
    }
    return struct.build();
  }

  private static Value value(JsonNode node) {
    Value.Builder value = Value.newBuilder();
    return switch (node.getNodeType()) {
      case STRING -> value.setStringValue(node.textValue()).build();
      case NUMBER -> value.setNumberValue(node.doubleValue()).build();
      case BOOLEAN -> value.setBoolValue(node.booleanValue()).build();
      case OBJECT, POJO -> value.setStructValue(struct((ObjectNode) node)).build();
      case ARRAY -> {
        ListValue.Builder list = ListValue.newBuilder();
        node.forEach(n -> list.addValues(value(n)));
        yield value.setListValue(list).build();
      }
      case NULL, MISSING, BINARY -> value.setNullValue(NullValue.NULL_VALUE).build();
    };
  }
}
