package dev.sluice.router.http;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/** How the answers of an endpoint differ from those of the other. */
enum Shape {
  /** {@code /v1/chat/completions}. */
  CHAT("chatcmpl-", "chat.completion", "chat.completion.chunk") {
    @Override
    void writePart(JsonGenerator out, boolean first, String text) throws IOException {
      out.writeObjectFieldStart("delta");
      if (first) {
        out.writeStringField("role", "assistant");
      }
      if (first || !text.isEmpty()) {
        out.writeStringField("content", text);
      }
      out.writeEndObject();
    }

    @Override
    void writeWhole(JsonGenerator out, String text) throws IOException {
      out.writeObjectFieldStart("message");
      out.writeStringField("role", "assistant");
      out.writeStringField("content", text);
      out.writeNullField("refusal");
      out.writeEndObject();
    }
  },

  /** {@code /v1/completions}. */
  TEXT("cmpl-", "text_completion", "text_completion") {
    @Override
    void writePart(JsonGenerator out, boolean first, String text) throws IOException {
      out.writeStringField("text", text);
    }

    @Override
    void writeWhole(JsonGenerator out, String text) throws IOException {
      out.writeStringField("text", text);
    }
  };

  private final String idPrefix;
  private final String wholeObject;
  private final String partObject;

  Shape(String idPrefix, String wholeObject, String partObject) {
    this.idPrefix = idPrefix;
    this.wholeObject = wholeObject;
    this.partObject = partObject;
  }

  String idPrefix() {
    return idPrefix;
  }

  /** The value of {@code object} in a whole answer, or in an event of a stream. */
  String object(boolean whole) {
    return whole ? wholeObject : partObject;
  }

  /** The text of an event, within a choice. */
  abstract void writePart(JsonGenerator out, boolean first, String text) throws IOException;

  /** The text of a whole choice, within it. */
  abstract void writeWhole(JsonGenerator out, String text) throws IOException;
}
