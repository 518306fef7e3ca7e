package dev.sluice.router.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.sluice.router.edge.JsonBytes;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import dev.sluice.v1.PromptLogprobs;
import dev.sluice.v1.Started;
import dev.sluice.v1.Usage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * An answer by server-sent events: the beginning of each choice, its parts, its end; then, if asked
 * for, the usage; then {@code [DONE]}.
 *
 * <p>Threading: the event loop of the exchange.
 */
final class StreamedAnswer implements Answer {
  private static final byte[] DONE = "data: [DONE]\n\n".getBytes(StandardCharsets.US_ASCII);

  private final Exchange exchange;
  private final Reply reply;
  private final AnswerJson json;
  private final boolean[] begun; // by choice
  private final LogprobJson[] logprobs; // by choice
  private String model = "";
  private int promptTokens;
  private int outputTokens;

  StreamedAnswer(Exchange exchange, Reply reply) {
    this.exchange = exchange;
    this.reply = reply;
    json = new AnswerJson(reply);
    begun = new boolean[reply.choices()];
    logprobs = new LogprobJson[reply.choices()];
    Arrays.setAll(logprobs, _ -> new LogprobJson(reply));
  }

  @Override
  public void started(int prompt, Started started) {
    model = started.getModel();
    promptTokens += started.getPromptTokens();
    if (reply.shape() == Shape.CHAT) {
      for (int i = 0; i < reply.choicesPerPrompt(); i++) {
        begin(prompt * reply.choicesPerPrompt() + i);
      }
    }
  }

  @Override
  public void promptLogprobs(int prompt, PromptLogprobs part) {
    for (int i = 0; i < reply.choicesPerPrompt(); i++) {
      logprobs[prompt * reply.choicesPerPrompt() + i].addPrompt(part);
    }
  }

  @Override
  public void delta(int choice, Delta delta) {
    outputTokens += delta.getTokenIdsCount();
    begin(choice);
    boolean silent =
        delta.getText().isEmpty() && delta.getLogprobsCount() == 0 && !reply.tokenIds();
    if (!silent && !reply.discardOutput()) {
      send(
          choice,
          out -> {
            reply.shape().writePart(out, false, delta.getText());
            logprobs[choice].write(out, delta.getLogprobsList());
            out.writeNullField("finish_reason");
            if (reply.tokenIds()) {
              json.tokenIds(out, "token_ids", delta.getTokenIdsList());
            }
          });
    }
  }

  @Override
  public void choiceFinished(int choice, ChoiceFinished finished) {
    begin(choice);
    send(
        choice,
        out -> {
          reply.shape().writePart(out, false, "");
          out.writeNullField("logprobs");
          json.ending(out, finished);
        });
  }

  @Override
  public void finished(Usage total) {
    if (reply.usage()) {
      exchange.event(
          JsonBytes.of(
              "data: ",
              out -> {
                json.head(out, model, false);
                out.writeArrayFieldStart("choices");
                out.writeEndArray();
                json.usage(out, total);
                out.writeEndObject();
              },
              "\n\n"));
    }
    exchange.event(DONE);
    exchange.endEvents();
  }

  /** The role, or what is echoed: before anything else of a choice. */
  private void begin(int choice) {
    if (begun[choice]) {
      return;
    }
    begun[choice] = true;
    Reply.Prompt prompt = reply.prompts().get(choice / reply.choicesPerPrompt());
    if (reply.shape() == Shape.TEXT && !reply.echo() && !reply.tokenIds()) {
      return;
    }
    String echoed = reply.echo() ? prompt.text() : "";
    send(
        choice,
        out -> {
          reply.shape().writePart(out, true, echoed);
          logprobs[choice].writePrompt(out, prompt);
          out.writeNullField("finish_reason");
          if (reply.tokenIds()) {
            json.tokenIds(out, "prompt_token_ids", prompt.tokenIds());
          }
        });
  }

  private void send(int choice, JsonBytes.Writer rest) {
    exchange.event(
        JsonBytes.of(
            "data: ",
            out -> {
              json.head(out, model, false);
              out.writeArrayFieldStart("choices");
              out.writeStartObject();
              out.writeNumberField("index", choice);
              rest.write(out);
              out.writeEndObject();
              out.writeEndArray();
              usageSoFar(out);
              out.writeEndObject();
            },
            "\n\n"));
  }

  private void usageSoFar(JsonGenerator out) throws IOException {
    if (reply.runningUsage()) {
      json.usage(
          out,
          Usage.newBuilder().setPromptTokens(promptTokens).setOutputTokens(outputTokens).build());
    } else if (reply.usage()) {
      out.writeNullField("usage");
    }
  }
}
