package dev.sluice.client;

import dev.sluice.v1.ChoiceProgress;
import dev.sluice.v1.Delta;
import dev.sluice.v1.Finished;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Resume;
import dev.sluice.v1.Started;
import dev.sluice.v1.Timings;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/**
 * What a stream has brought so far: enough to go on with it elsewhere, and to tell its times when
 * no router saw all of it. It keeps a few bytes per token.
 *
 * <p>Threading: the stream's reader.
 */
final class Received {
  /** One choice. */
  private static final class Choice {
    private final ChoiceProgress.Builder progress;
    private final int inherited; // tokens that another client had
    private long lastNanos;

    Choice(ChoiceProgress.Builder progress) {
      this.progress = progress;
      inherited = progress.getTokenIdsCount();
    }

    int gaps() {
      return progress.getTokenIdsCount() - inherited - 1;
    }
  }

  private final LongSupplier nanoClock;
  private final long startNanos;
  private final TreeMap<Integer, Choice> choices = new TreeMap<>();
  private Optional<Started> started = Optional.empty();
  private long lastSequence;
  private int tokens;
  private long firstTokenNanos;
  private long lastTokenNanos;
  private long longestGapNanos;
  private int resumes;
  private long lostNanos; // if lost
  private boolean lost;
  private long interruptedNanos;

  /**
   * @param request may itself go on with a stream
   * @param nanoClock monotonic time, nanoseconds
   */
  Received(GenerateRequest request, LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    startNanos = nanoClock.getAsLong();
    if (request.getHop().hasResume()) {
      Resume resume = request.getHop().getResume();
      lastSequence = resume.getNextSequence() - 1;
      resume
          .getChoicesList()
          .forEach(choice -> choices.put(choice.getChoice(), new Choice(choice.toBuilder())));
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

  /** Times that the stream has gone on, or is about to. */
  int resumes() {
    return resumes;
  }

  /** The router is lost. */
  void lost() {
    if (begun() && !lost) {
      lost = true;
      lostNanos = nanoClock.getAsLong();
    }
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
    if (lost) {
      lost = false;
      interruptedNanos += nanoClock.getAsLong() - lostNanos;
    }
    switch (message.getEventCase()) {
      case STARTED -> started = Optional.of(message.getStarted());
      case DELTA -> delta(message.getDelta());
      case CHOICE_FINISHED ->
          choice(message.getChoiceFinished().getChoice()).progress.setFinished(true);
      case PROMPT_LOGPROBS, FINISHED, EVENT_NOT_SET -> {}
    }
    return true;
  }

  private void delta(Delta delta) {
    Choice choice = choice(delta.getChoice());
    for (int i = 0; i < delta.getTokenIdsCount(); i++) {
      choice.progress.addTokenIds(delta.getTokenIds(i));
    }
    choice.progress.setTextBytes(choice.progress.getTextBytes() + delta.getTextBytes().size());
    if (delta.getTokenIdsCount() > 0) {
      long now = nanoClock.getAsLong();
      if (tokens == 0) {
        firstTokenNanos = now;
      }
      if (choice.lastNanos != 0) {
        longestGapNanos = Math.max(longestGapNanos, now - choice.lastNanos);
      }
      choice.lastNanos = now;
      lastTokenNanos = now;
      tokens += delta.getTokenIdsCount();
    }
  }

  private Choice choice(int index) {
    return choices.computeIfAbsent(
        index, i -> new Choice(ChoiceProgress.newBuilder().setChoice(i)));
  }

  /** The request again, to be gone on with after what was received, if anything was. */
  GenerateRequest again(GenerateRequest request) {
    if (!begun()) {
      return request;
    }
    resumes++;
    Resume.Builder resume = Resume.newBuilder().setNextSequence(lastSequence + 1);
    choices.values().forEach(choice -> resume.addChoices(choice.progress));
    GenerateRequest.Builder again = request.toBuilder();
    again.getHopBuilder().setResume(resume);
    if (!request.hasBeam()) {
      // the seed in use may have been chosen by the router that is gone
      started.ifPresent(s -> again.getSamplingBuilder().setSeed(s.getSeed()));
    }
    return again.build();
  }

  /** The end of a stream, with the times of all of it: the last router knows those of its part. */
  Finished whole(Finished finished) {
    if (resumes == 0) {
      return finished;
    }
    Timings last = finished.getTimings();
    Timings.Builder whole =
        last.toBuilder()
            .setTtftNanos(tokens == 0 ? 0 : firstTokenNanos - startNanos)
            .setDecodeNanos(lastTokenNanos - firstTokenNanos)
            .setE2ENanos(nanoClock.getAsLong() - startNanos)
            .setItlMaxNanos(longestGapNanos)
            .setResumes(last.getResumes() + resumes)
            .setAttempts(last.getAttempts() + resumes)
            .setInterruptedNanos(last.getInterruptedNanos() + interruptedNanos);
    // As the engine tells it: choices run side by side, so the longest of them counts.
    int gaps = choices.values().stream().mapToInt(Choice::gaps).max().orElse(0);
    whole.setItlMeanNanos(gaps > 0 ? whole.getDecodeNanos() / gaps : 0);
    return finished.toBuilder().setTimings(whole).build();
  }
}
