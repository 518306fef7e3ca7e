package dev.sluice.router.proxy;

import dev.sluice.v1.ChoiceProgress;
import dev.sluice.v1.Resume;
import java.util.Arrays;

/**
 * What the client has of a stream: enough for another worker to go on with it. 4 bytes per token,
 * nothing else grows.
 *
 * <p>Threading: the driver of the call.
 */
final class Progress {
  /** Far more than a request can ask for; a larger index is a worker's fault. */
  static final int MAX_CHOICES = 64;

  private static final int FIRST_TOKENS = 16;

  private Choice[] choices = new Choice[0];
  private long lastSequence;
  private int outputTokens;
  private int inheritedTokens; // of these: passed through another router
  private long firstTokenNanos;
  private long lastTokenNanos;
  private long longestGapNanos;

  /** One choice. */
  private static final class Choice {
    private int[] tokens = new int[FIRST_TOKENS];
    private int count;
    private int inherited; // of these
    private long textBytes;
    private long lastNanos;
    private boolean finished;

    void add(int[] source, int added) {
      if (count + added > tokens.length) {
        tokens = Arrays.copyOf(tokens, Math.max(count + added, count + count / 2));
      }
      System.arraycopy(source, 0, tokens, count, added);
      count += added;
    }

    ChoiceProgress toProto(int index) {
      ChoiceProgress.Builder progress =
          ChoiceProgress.newBuilder()
              .setChoice(index)
              .setTextBytes(textBytes)
              .setFinished(finished);
      for (int i = 0; i < count; i++) {
        progress.addTokenIds(tokens[i]);
      }
      return progress.build();
    }
  }

  /** Nothing yet. */
  Progress() {}

  /** What a client says that it has. */
  Progress(Resume resume) {
    lastSequence = resume.getNextSequence() - 1;
    for (ChoiceProgress progress : resume.getChoicesList()) {
      Choice choice = choice(progress.getChoice());
      int[] tokens = progress.getTokenIdsList().stream().mapToInt(Integer::intValue).toArray();
      choice.add(tokens, tokens.length);
      choice.inherited = choice.count;
      choice.textBytes += progress.getTextBytes();
      choice.finished |= progress.getFinished();
      outputTokens += tokens.length;
    }
    inheritedTokens = outputTokens;
  }

  /** Number of the last message; 0 before the first. */
  long lastSequence() {
    return lastSequence;
  }

  /** Whether the client has anything: then an attempt must go on, not begin. */
  boolean begun() {
    return lastSequence > 0;
  }

  /** One more message. */
  void advance() {
    lastSequence++;
  }

  /** New tokens; false if the choice's number makes no sense. */
  boolean delta(EventScan delta, long nowNanos) {
    if (delta.choice() < 0 || delta.choice() >= MAX_CHOICES) {
      return false;
    }
    Choice choice = choice(delta.choice());
    choice.add(delta.tokens(), delta.tokenCount());
    choice.textBytes += delta.textBytes();
    if (delta.tokenCount() > 0) {
      if (outputTokens == inheritedTokens) {
        firstTokenNanos = nowNanos;
      }
      if (choice.lastNanos != 0) {
        longestGapNanos = Math.max(longestGapNanos, nowNanos - choice.lastNanos);
      }
      choice.lastNanos = nowNanos;
      lastTokenNanos = nowNanos;
      outputTokens += delta.tokenCount();
    }
    return true;
  }

  /** A choice is complete; false if its number makes no sense. */
  boolean choiceFinished(int index) {
    if (index < 0 || index >= MAX_CHOICES) {
      return false;
    }
    choice(index).finished = true;
    return true;
  }

  /** Tokens of all choices. */
  int outputTokens() {
    return outputTokens;
  }

  /** When the first token passed here, on the router's clock; 0 if none did. */
  long firstTokenNanos() {
    return firstTokenNanos;
  }

  /** First token that passed here to the last one. */
  long decodeNanos() {
    return lastTokenNanos - firstTokenNanos;
  }

  /** Longest time between two deltas of one choice. */
  long longestGapNanos() {
    return longestGapNanos;
  }

  /**
   * Mean time between two tokens of one choice, as the engine tells it: choices run side by side,
   * so the longest of them counts. 0 if no choice had two tokens pass here.
   */
  long meanGapNanos() {
    int gaps = 0;
    for (Choice choice : choices) {
      gaps = Math.max(gaps, choice.count - choice.inherited - 1);
    }
    return gaps == 0 ? 0 : decodeNanos() / gaps;
  }

  /** For the worker that goes on; choices that have not begun are left out. */
  Resume toResume() {
    Resume.Builder resume = Resume.newBuilder().setNextSequence(lastSequence + 1);
    for (int i = 0; i < choices.length; i++) {
      if (choices[i].count > 0 || choices[i].finished) {
        resume.addChoices(choices[i].toProto(i));
      }
    }
    return resume.build();
  }

  private Choice choice(int index) {
    int known = choices.length;
    if (index >= known) {
      choices = Arrays.copyOf(choices, index + 1);
      for (int i = known; i <= index; i++) {
        choices[i] = new Choice();
      }
    }
    return choices[index];
  }
}
