package dev.sluice.router.proxy;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.sluice.router.admission.Toll;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Resume;
import dev.sluice.v1.Started;
import dev.sluice.v1.Usage;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Looks at the messages of one stream on their way to the client, whichever worker sends them:
 * holds each to its number and place, and keeps the {@link Progress}.
 *
 * <p>Threading: the driver of the call. A delta allocates nothing but room for its tokens.
 */
final class StreamCheck {
  /** A worker sent what cannot be passed on; the text says what, and what was expected. */
  static final class Malformed extends Exception {
    private static final long serialVersionUID = 1;

    Malformed(String what) {
      super(what, null, false, false);
    }

    String what() {
      return String.valueOf(getMessage());
    }
  }

  private final CallTelemetry telemetry;
  private final LongSupplier nanoClock;
  private final long arrivalNanos;
  private final Toll toll;
  private final EventScan scan = new EventScan();
  private final Progress progress;
  private final boolean goesOn; // began at another router, where Started passed
  private Optional<Started> started = Optional.empty();
  private boolean finished;

  /**
   * @param resume what the client has, if the stream began at another router
   * @param toll is told of the first token, and of all others
   */
  StreamCheck(
      CallTelemetry telemetry,
      LongSupplier nanoClock,
      long arrivalNanos,
      Optional<Resume> resume,
      Toll toll) {
    this.telemetry = telemetry;
    this.toll = toll;
    this.nanoClock = nanoClock;
    this.arrivalNanos = arrivalNanos;
    progress = resume.map(Progress::new).orElseGet(Progress::new);
    goesOn = resume.isPresent();
  }

  Progress progress() {
    return progress;
  }

  /** What the first worker said when the stream began. */
  Optional<Started> started() {
    return started;
  }

  /** Whether the last message of the stream was taken. */
  boolean finished() {
    return finished;
  }

  /** Of what the client has. */
  Usage usage() {
    Usage.Builder usage = Usage.newBuilder().setOutputTokens(progress.outputTokens());
    started.ifPresent(s ->
        usage
            .setPromptTokens(s.getPromptTokens())
            .setCachedPromptTokens(s.getCachedPromptTokens()));
    return usage.build();
  }

  /** Takes the next message; from here on it counts as delivered. */
  void take(byte[] message) throws Malformed {
    long expected = progress.lastSequence() + 1;
    if (!scan.read(message) || scan.sequence() != expected || finished) {
      throw new Malformed(
          "message "
              + Long.toUnsignedString(scan.sequence())
              + " (expected: "
              + (finished ? "nothing more)" : expected + ", well-formed)"));
    }
    int event = scan.event();
    if ((event == EventScan.STARTED && (goesOn || started.isPresent()))
        || (event == EventScan.DELTA && !goesOn && started.isEmpty())) {
      throw new Malformed(
          "message "
              + expected
              + (event == EventScan.STARTED ? ", a second Started" : " before Started"));
    }
    try {
      switch (event) {
        case EventScan.STARTED -> {
          Started first = GenerateResponse.parseFrom(message).getStarted();
          started = Optional.of(first);
          telemetry.started(first);
          toll.prefilled(first.getCachedPromptTokens());
        }
        case EventScan.DELTA -> delta();
        case EventScan.CHOICE_FINISHED ->
            choiceFinished(GenerateResponse.parseFrom(message).getChoiceFinished());
        case EventScan.FINISHED ->
            // It will be parsed to be rewritten: now is the time to find a fault.
            finished = GenerateResponse.parseFrom(message).hasFinished();
        default -> {} // prompt log-probabilities, or what a newer worker adds
      }
      progress.advance();
    } catch (InvalidProtocolBufferException e) {
      throw new Malformed("message " + expected + ", which cannot be parsed");
    }
  }

  private void delta() throws Malformed {
    boolean first = progress.outputTokens() == 0;
    long now = nanoClock.getAsLong();
    if (!progress.delta(scan, now)) {
      throw noSuchChoice(scan.choice());
    }
    toll.produced(scan.tokenCount());
    if (first && progress.outputTokens() > 0) {
      telemetry.firstToken(now - arrivalNanos);
    }
  }

  private void choiceFinished(ChoiceFinished end) throws Malformed {
    if (!progress.choiceFinished(end.getChoice())) {
      throw noSuchChoice(end.getChoice());
    }
    telemetry.choiceFinished(end.getReason());
  }

  private static Malformed noSuchChoice(int choice) {
    return new Malformed(
        "choice "
            + Integer.toUnsignedString(choice)
            + " (expected: 0 to "
            + (Progress.MAX_CHOICES - 1)
            + ")");
  }
}
