package dev.sluice.router.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.sluice.router.edge.JsonBytes;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import dev.sluice.v1.PromptLogprobs;
import dev.sluice.v1.Started;
import dev.sluice.v1.TokenLogprob;
import dev.sluice.v1.Usage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * An answer in one piece. It holds what the model said until all of it is there, which the model's
 * context bounds.
 *
 * <p>Threading: the event loop of the exchange.
 */
final class WholeAnswer implements Answer {
  private final Exchange exchange;
  private final Reply reply;
  private final AnswerJson json;
  private final List<Choice> choices;
  private final List<List<TokenLogprob>> promptLogprobs; // by prompt
  private String model = "";

  /** What was said of one choice. */
  private static final class Choice {
    private final StringBuilder text = new StringBuilder();
    private final List<Integer> tokenIds = new ArrayList<>();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private ChoiceFinished finished = ChoiceFinished.getDefaultInstance();
  }

  WholeAnswer(Exchange exchange, Reply reply) {
    this.exchange = exchange;
    this.reply = reply;
    json = new AnswerJson(reply);
    choices = Stream.generate(Choice::new).limit(reply.choices()).toList();
    promptLogprobs =
        Stream.generate(() -> (List<TokenLogprob>) new ArrayList<TokenLogprob>())
            .limit(reply.prompts().size())
            .toList();
  }

  @Override
  public void started(int prompt, Started started) {
    model = started.getModel();
  }

  @Override
  public void promptLogprobs(int prompt, PromptLogprobs part) {
    promptLogprobs.get(prompt).addAll(part.getTokensList());
  }

  @Override
  public void delta(int index, Delta delta) {
    Choice choice = choices.get(index);
    if (!reply.discardOutput()) {
      choice.text.append(delta.getText());
      choice.logprobs.addAll(delta.getLogprobsList());
      if (reply.tokenIds()) {
        choice.tokenIds.addAll(delta.getTokenIdsList());
      }
    }
  }

  @Override
  public void choiceFinished(int choice, ChoiceFinished finished) {
    choices.get(choice).finished = finished;
  }

  @Override
  public void finished(Usage total) {
    exchange.json(JsonBytes.of(out -> write(out, total)));
  }

  private void write(JsonGenerator out, Usage usage) throws IOException {
    json.head(out, model, true);
    out.writeArrayFieldStart("choices");
    for (int i = 0; i < choices.size(); i++) {
      write(out, i);
    }
    out.writeEndArray();
    json.usage(out, usage);
    if (reply.shape() == Shape.CHAT) {
      promptFields(out, 0);
    }
    out.writeEndObject();
  }

  private void write(JsonGenerator out, int index) throws IOException {
    Choice choice = choices.get(index);
    int promptIndex = index / reply.choicesPerPrompt();
    Reply.Prompt prompt = reply.prompts().get(promptIndex);
    LogprobJson logprobs = new LogprobJson(reply);
    logprobs.addPrompt(promptLogprobs.get(promptIndex));
    out.writeStartObject();
    out.writeNumberField("index", index);
    String text = choice.text.toString();
    reply.shape().writeWhole(out, reply.echo() ? prompt.text() + text : text);
    logprobs.writeAll(out, prompt, choice.logprobs);
    json.ending(out, choice.finished);
    if (reply.tokenIds()) {
      json.tokenIds(out, "token_ids", choice.tokenIds);
    }
    if (reply.shape() == Shape.TEXT) {
      promptFields(out, promptIndex);
    }
    out.writeEndObject();
  }

  /** vLLM's: beside the choices of a chat, within the choice of a completion. */
  private void promptFields(JsonGenerator out, int prompt) throws IOException {
    if (reply.tokenIds()) {
      json.tokenIds(out, "prompt_token_ids", reply.prompts().get(prompt).tokenIds());
    }
    if (reply.promptLogprobs().isPresent()) {
      new LogprobJson(reply).promptTable(out, promptLogprobs.get(prompt));
    }
  }
}
