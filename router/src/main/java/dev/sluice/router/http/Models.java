package dev.sluice.router.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.sluice.router.edge.JsonBytes;
import dev.sluice.router.edge.TokenTextCache;
import dev.sluice.router.edge.TokenTexts;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.v1.ChatMessages;
import dev.sluice.v1.DetokenizeRequest;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.Model;
import dev.sluice.v1.TokenizeRequest;
import dev.sluice.v1.TokenizeResponse;
import io.grpc.Channel;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * What is known of the models, and what has to be asked.
 *
 * <p>Threading: any thread that may wait for a worker; the listing waits for nobody.
 */
final class Models {
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final String OWNER = "sluice";

  private final Channel channel;
  private final Supplier<FleetSnapshot> fleet;
  private final TokenTextCache texts;
  private final long createdSeconds;

  /**
   * @param createdSeconds when this router started, which is told as the age of its models
   */
  Models(
      Channel channel, Supplier<FleetSnapshot> fleet, TokenTextCache texts, long createdSeconds) {
    this.channel = channel;
    this.fleet = fleet;
    this.texts = texts;
    this.createdSeconds = createdSeconds;
  }

  /** What the tokens of a model say. */
  TokenTexts texts(String model) {
    return texts.of(model);
  }

  List<Integer> tokenize(String model, String text) {
    return tokenize(TokenizeRequest.newBuilder().setModel(model).setText(text).build())
        .getTokenIdsList();
  }

  List<Integer> tokenize(String model, ChatMessages chat) {
    return tokenize(TokenizeRequest.newBuilder().setModel(model).setChat(chat).build())
        .getTokenIdsList();
  }

  TokenizeResponse tokenize(TokenizeRequest request) {
    return stub().tokenize(request);
  }

  String detokenize(String model, List<Integer> tokens) {
    return stub()
        .detokenize(DetokenizeRequest.newBuilder().setModel(model).addAllTokenIds(tokens).build())
        .getText();
  }

  private GenerationServiceGrpc.GenerationServiceBlockingStub stub() {
    return GenerationServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Whether any worker takes requests. */
  boolean ready() {
    return fleet.get().ready() > 0;
  }

  /** {@code GET /v1/models}: each model, and each of its other names. */
  byte[] list() {
    return JsonBytes.of(out -> {
      out.writeStartObject();
      out.writeStringField("object", "list");
      out.writeArrayFieldStart("data");
      for (Model model : fleet.get().models()) {
        for (String name : names(model)) {
          write(out, name, model);
        }
      }
      out.writeEndArray();
      out.writeEndObject();
    });
  }

  /** {@code GET /v1/models/NAME}. */
  Optional<byte[]> find(String name) {
    return fleet.get().models().stream()
        .filter(model -> names(model).contains(name))
        .findFirst()
        .map(model -> JsonBytes.of(out -> write(out, name, model)));
  }

  Optional<Model> model(String name) {
    List<Model> models = fleet.get().models();
    return models.stream()
        .filter(model -> names(model).contains(name) || (name.isEmpty() && models.size() == 1))
        .findFirst();
  }

  private static List<String> names(Model model) {
    List<String> names = new ArrayList<>();
    names.add(model.getId());
    names.addAll(model.getAliasesList());
    return names;
  }

  private void write(JsonGenerator out, String name, Model model) throws IOException {
    out.writeStartObject();
    out.writeStringField("id", name);
    out.writeStringField("object", "model");
    out.writeNumberField("created", createdSeconds);
    out.writeStringField("owned_by", OWNER);
    out.writeStringField("root", model.getId()); // this and the next two: vLLM's
    out.writeNullField("parent");
    out.writeNumberField("max_model_len", model.getContextLength());
    out.writeEndObject();
  }
}
