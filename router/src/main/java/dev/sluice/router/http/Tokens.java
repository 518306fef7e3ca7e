package dev.sluice.router.http;

import dev.sluice.router.edge.ChatFields;
import dev.sluice.router.edge.Fields;
import dev.sluice.router.edge.JsonBytes;
import dev.sluice.v1.Model;
import dev.sluice.v1.TokenizeRequest;
import dev.sluice.v1.TokenizeResponse;
import java.util.List;

/** vLLM's {@code /tokenize} and {@code /detokenize}. Threading: as {@link Models}. */
final class Tokens {
  private final Models models;

  Tokens(Models models) {
    this.models = models;
  }

  /** Of a prompt or of messages. */
  byte[] tokenize(byte[] body) {
    Fields fields = Json.object(body);
    TokenizeRequest.Builder request = TokenizeRequest.newBuilder();
    fields.text("model").ifPresent(request::setModel);
    if (fields.get("messages").isPresent()) {
      request.setChat(ChatFields.read(fields));
    } else if (fields.get("prompt").isPresent()) {
      fields.text("prompt").ifPresent(request::setText);
    } else {
      fields.refuse("prompt", "a string, or messages beside it");
    }
    fields.throwIfAny();
    TokenizeResponse response = models.tokenize(request.build());
    int context = models.model(request.getModel()).map(Model::getContextLength).orElse(0);
    return JsonBytes.of(out -> {
      out.writeStartObject();
      out.writeNumberField("count", response.getTokenIdsCount());
      out.writeNumberField("max_model_len", context);
      out.writeArrayFieldStart("tokens");
      for (int id : response.getTokenIdsList()) {
        out.writeNumber(id);
      }
      out.writeEndArray();
      out.writeEndObject();
    });
  }

  byte[] detokenize(byte[] body) {
    Fields fields = Json.object(body);
    String model = fields.text("model").orElse("");
    List<Integer> tokens = fields.tokens("tokens");
    if (fields.get("tokens").isEmpty()) {
      fields.refuse("tokens", "a list of token ids");
    }
    fields.throwIfAny();
    String text = models.detokenize(model, tokens);
    return JsonBytes.of(out -> {
      out.writeStartObject();
      out.writeStringField("prompt", text);
      out.writeEndObject();
    });
  }
}
