package dev.sluice.client;

import dev.sluice.v1.ChoiceProgress;
import dev.sluice.v1.Delta;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Resume;
import dev.sluice.v1.Started;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a stream has brought so far: enough to go on with it elsewhere. Besides one builder per
 * choice it keeps a few bytes per token.
 *
 * <p>Threading: the stream's reader.
 */
final class Received {
  private final TreeMap<Integer, ChoiceProgress.Builder> choices = new TreeMap<>();
  private Optional<Started> started = Optional.empty();
  private long lastSequence;

  /**
   * @param request may itself go on with a stream
   */
  Received(GenerateRequest request) {
    if (request.getHop().hasResume()) {
      Resume resume = request.getHop().getResume();
      lastSequence = resume.getNextSequence() - 1;
      resume
          .getChoicesList()
          .forEach(choice -> choices.put(choice.getChoice(), choice.toBuilder()));
    }
  }

  /** Number of the last message; 0 before the first. */
  long lastSequence() {
    return lastSequence;
  }

  /** Whether there is anything to go on from. */
  boolean begun() {
    return lastSequence > 0;
  }

  /**
   * Takes the next message.
   *
   * @return false if it is not the next one
   */
  boolean take(GenerateResponse message) {
    if (message.getSequence() != lastSequence + 1) {
      return false;
    }
    lastSequence++;
    switch (message.getEventCase()) {
      case STARTED -> started = Optional.of(message.getStarted());
      case DELTA -> delta(message.getDelta());
      case CHOICE_FINISHED -> choice(message.getChoiceFinished().getChoice()).setFinished(true);
      case PROMPT_LOGPROBS, FINISHED, EVENT_NOT_SET -> {}
    }
    return true;
  }

  private void delta(Delta delta) {
    ChoiceProgress.Builder choice = choice(delta.getChoice());
    for (int i = 0; i < delta.getTokenIdsCount(); i++) {
      choice.addTokenIds(delta.getTokenIds(i));
    }
    if (!delta.getTextBytes().isEmpty()) {
      choice.setTextBytes(choice.getTextBytes() + delta.getTextBytes().size());
    }
  }

  private ChoiceProgress.Builder choice(int index) {
    return choices.computeIfAbsent(index, i -> ChoiceProgress.newBuilder().setChoice(i));
  }

  /** The request again, to be gone on with after what was received, if anything was. */
  GenerateRequest next(GenerateRequest request) {
    if (!begun()) {
      return request;
    }
    Resume.Builder resume = Resume.newBuilder().setNextSequence(lastSequence + 1);
    choices.values().forEach(resume::addChoices);
    GenerateRequest.Builder next = request.toBuilder();
    next.getHopBuilder().setResume(resume);
    if (!request.hasBeam()) {
      // the seed in use may have been chosen by the router that is gone
      started.ifPresent(s -> next.getSamplingBuilder().setSeed(s.getSeed()));
    }
    return next.build();
  }
}
