package dev.sluice.worker.service;

import dev.sluice.v1.ChoiceProgress;
import dev.sluice.v1.Resume;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a client has received of a stream that began on another worker.
 *
 * @param choices what it has of each choice, by index
 * @param nextSequence number of the next message
 */
record ResumePoint(List<Progress> choices, long nextSequence) {
  /**
   * What a client has of one choice.
   *
   * @param tokens its output so far
   * @param textBytes UTF-8 bytes of the text that came with them
   * @param finished whether its end was received, too
   */
  record Progress(List<Integer> tokens, long textBytes, boolean finished) {
    private static final Progress NONE = new Progress(List.of(), 0, false);

    Progress {
      tokens = List.copyOf(tokens);
    }
  }

  ResumePoint {
    choices = List.copyOf(choices);
  }

  /** Choices that are not named have not begun. */
  static ResumePoint of(Resume resume, int choices) {
    List<Progress> progress = new ArrayList<>();
    for (int i = 0; i < choices; i++) {
      progress.add(Progress.NONE);
    }
    for (ChoiceProgress p : resume.getChoicesList()) {
      progress.set(
          p.getChoice(), new Progress(p.getTokenIdsList(), p.getTextBytes(), p.getFinished()));
    }
    return new ResumePoint(progress, resume.getNextSequence());
  }

  static void check(Resume resume, int choices, int vocabularySize, Violations violations) {
    violations.check(
        resume.getNextSequence() >= 2,
        "hop.resume.next_sequence",
        Long.toUnsignedString(resume.getNextSequence())
            + " (expected: at least 2, since `Started` was received)");
    Set<Integer> seen = new HashSet<>();
    for (int i = 0; i < resume.getChoicesCount(); i++) {
      ChoiceProgress progress = resume.getChoices(i);
      String field = "hop.resume.choices[" + i + "]";
      violations.unsigned(field + ".choice", progress.getChoice(), 0, choices - 1);
      violations.check(
          seen.add(progress.getChoice()),
          field + ".choice",
          Integer.toUnsignedString(progress.getChoice()) + " again (expected: each choice once)");
      TokenChecks.check(
          field + ".token_ids", progress.getTokenIdsList(), vocabularySize, violations);
    }
  }

  /** Whether any token was received. */
  boolean hasBegun() {
    return choices.stream().anyMatch(choice -> choice.finished() || !choice.tokens().isEmpty());
  }
}
