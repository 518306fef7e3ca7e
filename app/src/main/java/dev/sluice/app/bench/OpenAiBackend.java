package dev.sluice.app.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.app.bench.Job.Turn;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;

/** A server with OpenAI's API, whoever made it. */
final class OpenAiBackend implements Backend {
  private static final int SLACK = 16; // events beyond what an answer should have

  private final OpenAiServer server;
  private final String model;
  private final RequestOptions requests;
  private final PromptForm form;
  private final int vocabularySize;

  /**
   * @param server closed with this
   */
  OpenAiBackend(
      OpenAiServer server,
      String model,
      RequestOptions requests,
      PromptForm form,
      int vocabularySize) {
    this.server = server;
    this.model = model;
    this.requests = requests;
    this.form = form;
    this.vocabularySize = vocabularySize;
  }

  @Override
  public String name() {
    return form.backend();
  }

  @Override
  public String model() {
    return model;
  }

  @Override
  public int vocabularySize() {
    return vocabularySize;
  }

  @Override
  public Sender sender(LongSupplier clock, IntConsumer onTokens) {
    return job -> new HttpTalk(job.turns().size() > 1, clock, onTokens);
  }

  @Override
  public void close() {
    server.close();
  }

  private final class HttpTalk implements Sender.Talk {
    private final boolean goesOn;
    private final LongSupplier clock;
    private final IntConsumer onTokens;
    private final Map<String, String> headers = new LinkedHashMap<>(requests.headers());
    private final PromptForm.Conversation conversation = form.begin();

    private HttpTalk(boolean goesOn, LongSupplier clock, IntConsumer onTokens) {
      this.goesOn = goesOn;
      this.clock = clock;
      this.onTokens = onTokens;
      if (goesOn) {
        headers.put("x-sluice-session", UUID.randomUUID().toString());
      }
    }

    @Override
    public Outcome send(Turn turn, long due) {
      conversation.ask(turn.tokens());
      HttpAnswer answer =
          new HttpAnswer(new AnswerTimes(due, clock, onTokens), 2 * turn.outputTokens() + SLACK);
      try {
        boolean done = server.stream(form.path(), body(turn), headers, answer);
        if (!done && !answer.finished) {
          throw new HttpFailure("answer not complete", "no finish_reason and no [DONE]");
        }
        if (goesOn && conversation.needsTokens() && answer.tokens.isEmpty()) {
          throw new HttpFailure(
              "answer without token_ids", "a conversation needs them; --prompt-form text does not");
        }
        conversation.answered(answer.text.toString(), answer.tokens);
        return answer.completed();
      } catch (HttpFailure e) {
        return answer.failed(e);
      }
    }

    private ObjectNode body(Turn turn) {
      ObjectNode body = JsonNodeFactory.instance.objectNode();
      body.put("model", model);
      conversation.writeTo(body);
      body.put("max_tokens", turn.outputTokens());
      requests.addTo(body);
      body.put("stream", true);
      body.putObject("stream_options").put("include_usage", true);
      if (goesOn && conversation.needsTokens()) {
        body.put("return_token_ids", true); // vLLM's
      }
      return body;
    }
  }

  /** An answer as it comes. Threading: the thread that reads it. */
  private static final class HttpAnswer implements OpenAiServer.Events {
    private final AnswerTimes times;
    private final int mostParts;
    private final StringBuilder text = new StringBuilder();
    private final List<Integer> tokens = new ArrayList<>();
    private int parts; // events with text
    private int promptTokens;
    private int cachedTokens;
    private int outputTokens;
    private boolean finished;

    /**
     * @param mostParts a server that sends more does not keep to the length
     */
    HttpAnswer(AnswerTimes times, int mostParts) {
      this.times = times;
      this.mostParts = mostParts;
    }

    @Override
    public void event(JsonNode data) throws HttpFailure {
      if (data.hasNonNull("error")) {
        throw OpenAiServer.error("error in the stream", data);
      }
      JsonNode usage = data.path("usage");
      if (usage.isObject()) {
        promptTokens = usage.path("prompt_tokens").asInt();
        cachedTokens = usage.path("prompt_tokens_details").path("cached_tokens").asInt();
        outputTokens = usage.path("completion_tokens").asInt();
      }
      for (JsonNode choice : data.path("choices")) {
        String said = said(choice);
        if (!said.isEmpty()) {
          times.came(1); // for all that is known
          parts++;
          text.append(said);
        }
        if (parts > mostParts) {
          throw new HttpFailure("answer too long", "max_tokens is not kept to");
        }
        choice.path("token_ids").forEach(id -> tokens.add(id.asInt()));
        finished |= choice.hasNonNull("finish_reason");
      }
    }

    /** Thinking is output, too, under either of the names that servers have for it. */
    private static String said(JsonNode choice) {
      JsonNode delta = choice.path("delta");
      return choice.path("text").asText("")
          + delta.path("reasoning_content").asText("")
          + delta.path("reasoning").asText("")
          + delta.path("content").asText("");
    }

    Outcome completed() {
      return times.completed(promptTokens, cachedTokens, outputTokens == 0 ? parts : outputTokens);
    }

    Outcome failed(HttpFailure failure) {
      return times.failed(promptTokens, cachedTokens, parts, failure.kind(), failure.detail());
    }
  }
}
