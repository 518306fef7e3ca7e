package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.ChoiceProgress;
import dev.sluice.v1.Delta;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.PromptLogprobs;
import dev.sluice.v1.Resume;
import dev.sluice.v1.TokenLogprob;
import dev.sluice.v1.Usage;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a stream says, however its deltas are divided; and that it is well formed. */
final class StreamContent {
  private final Map<Integer, Choice> choices = new TreeMap<>();
  private final List<PromptLogprobs> promptLogprobs = new ArrayList<>();
  private final List<Usage> finished = new ArrayList<>();
  private long sequence;

  /** One choice. */
  private record Choice(
      List<Integer> tokens,
      StringBuilder text,
      List<TokenLogprob> logprobs,
      List<ChoiceFinished> finished) {
    Choice() {
      this(new ArrayList<>(), new StringBuilder(), new ArrayList<>(), new ArrayList<>());
    }

    @Override
    public String toString() {
      return tokens + " \"" + text + "\" " + logprobs + " " + finished;
    }
  }

  static StreamContent of(List<GenerateResponse> messages) {
    StreamContent content = new StreamContent();
    messages.forEach(content::add);
    return content;
  }

  void add(GenerateResponse message) {
    assertThat(message.getSequence()).isEqualTo(++sequence);
    assertThat(message.getSerializedSize()).isLessThanOrEqualTo(64 << 10);
    assertThat(finished).isEmpty();
    assertThat(message.hasStarted()).isEqualTo(sequence == 1);
    switch (message.getEventCase()) {
      case STARTED -> {}
      case PROMPT_LOGPROBS -> {
        assertThat(choices).isEmpty();
        promptLogprobs.add(message.getPromptLogprobs());
      }
      case DELTA -> {
        Delta delta = message.getDelta();
        Choice choice = choices.computeIfAbsent(delta.getChoice(), _ -> new Choice());
        assertThat(choice.finished()).isEmpty();
        choice.tokens().addAll(delta.getTokenIdsList());
        choice.text().append(delta.getText());
        choice.logprobs().addAll(delta.getLogprobsList());
      }
      case CHOICE_FINISHED -> {
        ChoiceFinished end = message.getChoiceFinished();
        Choice choice = choices.computeIfAbsent(end.getChoice(), _ -> new Choice());
        assertThat(choice.finished()).isEmpty();
        choice.finished().add(end);
      }
      case FINISHED -> {
        assertThat(choices.values()).allMatch(choice -> choice.finished().size() == 1);
        finished.add(message.getFinished().getUsage());
      }
      case EVENT_NOT_SET -> throw new AssertionError("no event");
    }
  }

  /** What a router would tell the next worker. */
  Resume resume() {
    Resume.Builder resume = Resume.newBuilder().setNextSequence(sequence + 1);
    choices.forEach((index, choice) ->
        resume.addChoices(
            ChoiceProgress.newBuilder()
                .setChoice(index)
                .addAllTokenIds(choice.tokens())
                .setTextBytes(choice.text().toString().getBytes(StandardCharsets.UTF_8).length)
                .setFinished(!choice.finished().isEmpty())));
    return resume.build();
  }

  /** Everything but times and what was cached. */
  @Override
  public String toString() {
    return choices
        + " "
        + promptLogprobs
        + " "
        + finished.stream().map(Usage::getPromptTokens).toList()
        + finished.stream().map(Usage::getOutputTokens).toList();
  }
}
