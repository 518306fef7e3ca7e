package dev.sluice.router.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.sluice.router.edge.FinishReasons;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Usage;
import java.io.IOException;
import java.util.List;

/** What all answers have in common. Threading: immutable. */
final class AnswerJson {
  private final Reply reply;

  AnswerJson(Reply reply) {
    this.reply = reply;
  }

  /** Opens the object of an answer, or of an event. */
  void head(JsonGenerator out, String model, boolean whole) throws IOException {
    out.writeStartObject();
    out.writeStringField("id", reply.id());
    out.writeStringField("object", reply.shape().object(whole));
    out.writeNumberField("created", reply.createdSeconds());
    out.writeStringField("model", model);
  }

  /** Why a choice ended, in OpenAI's words, and what ended it, in vLLM's. */
  void ending(JsonGenerator out, ChoiceFinished finished) throws IOException {
    out.writeStringField(
        "finish_reason",
        reply.discardOutput() ? "length" : FinishReasons.name(finished.getReason()));
    switch (finished.getMatchedStopCase()) {
      case STOP -> out.writeStringField("stop_reason", finished.getStop());
      case STOP_TOKEN_ID -> out.writeNumberField("stop_reason", finished.getStopTokenId());
      case MATCHEDSTOP_NOT_SET -> out.writeNullField("stop_reason");
    }
  }

  void usage(JsonGenerator out, Usage usage) throws IOException {
    int output = reply.discardOutput() ? 0 : usage.getOutputTokens();
    out.writeObjectFieldStart("usage");
    out.writeNumberField("prompt_tokens", usage.getPromptTokens());
    out.writeNumberField("completion_tokens", output);
    out.writeNumberField("total_tokens", usage.getPromptTokens() + output);
    out.writeObjectFieldStart("prompt_tokens_details");
    out.writeNumberField("cached_tokens", usage.getCachedPromptTokens());
    out.writeEndObject();
    out.writeEndObject();
  }

  void tokenIds(JsonGenerator out, String name, List<Integer> ids) throws IOException {
    out.writeArrayFieldStart(name);
    for (int id : ids) {
      out.writeNumber(id);
    }
    out.writeEndArray();
  }
}
