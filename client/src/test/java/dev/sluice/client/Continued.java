package dev.sluice.client;

import com.google.protobuf.ByteString;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.ChoiceProgress;
import dev.sluice.v1.Delta;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.Finished;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Resume;
import dev.sluice.v1.Started;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A stream that can begin anywhere: its tokens are a function of seed, choice and position, its
 * messages of their number. What a resume claims must be exactly what such a stream has sent.
 */
final class Continued {
  /** Seed of requests that give none. */
  static final long CHOSEN_SEED = 77;

  private static final String[] PIECES = {"a", " the", "é", "語", "😀", ""};

  private final List<GenerateResponse.Builder> messages = new ArrayList<>();

  private Continued(GenerateRequest request) {
    long seed = request.getSampling().hasSeed() ? request.getSampling().getSeed() : CHOSEN_SEED;
    int choices = request.hasN() ? request.getN() : 1;
    int tokens = request.getStopping().getMaxTokens();
    next().setStarted(Started.newBuilder().setRequestId(request.getRequestId()).setSeed(seed));
    for (int i = 0; i < tokens; i++) {
      for (int choice = 0; choice < choices; choice++) {
        int token = (int) Math.floorMod(seed * 31 + choice * 7L + i * 13L, 1000L);
        next()
            .setDelta(
                Delta.newBuilder()
                    .setChoice(choice)
                    .addTokenIds(token)
                    .setText(PIECES[token % PIECES.length]));
        if (i == tokens - 1) {
          next()
              .setChoiceFinished(
                  ChoiceFinished.newBuilder()
                      .setChoice(choice)
                      .setReason(FinishReason.FINISH_REASON_LENGTH));
        }
      }
    }
    next().setFinished(Finished.getDefaultInstance());
  }

  private GenerateResponse.Builder next() {
    GenerateResponse.Builder builder =
        GenerateResponse.newBuilder().setSequence(messages.size() + 1);
    messages.add(builder);
    return builder;
  }

  /** All messages of a stream that nothing disturbs. */
  static List<GenerateResponse> whole(GenerateRequest request) {
    return new Continued(request).messages.stream().map(GenerateResponse.Builder::build).toList();
  }

  /**
   * The messages that are still to be sent.
   *
   * @throws io.grpc.StatusRuntimeException if the request claims what was never sent
   */
  static List<GenerateResponse> rest(GenerateRequest request) {
    List<GenerateResponse> whole = whole(request);
    if (!request.getHop().hasResume()) {
      return whole;
    }
    Resume resume = request.getHop().getResume();
    int sent = (int) resume.getNextSequence() - 1;
    fault(request, whole.subList(0, sent))
        .ifPresent(fault -> {
          throw Status.INVALID_ARGUMENT.withDescription(fault).asRuntimeException();
        });
    return whole.subList(sent, whole.size());
  }

  private static Optional<String> fault(GenerateRequest request, List<GenerateResponse> sent) {
    if (!request.getSampling().hasSeed()) {
      return Optional.of("no seed");
    }
    List<ChoiceProgress.Builder> expected = new ArrayList<>();
    for (GenerateResponse message : sent) {
      if (message.hasDelta()) {
        Delta delta = message.getDelta();
        if (delta.getChoice() == expected.size()) {
          expected.add(ChoiceProgress.newBuilder().setChoice(delta.getChoice()));
        }
        ChoiceProgress.Builder choice = expected.get(delta.getChoice());
        int bytes = ByteString.copyFrom(delta.getText(), StandardCharsets.UTF_8).size();
        choice.addAllTokenIds(delta.getTokenIdsList()).setTextBytes(choice.getTextBytes() + bytes);
      } else if (message.hasChoiceFinished()) {
        expected.get(message.getChoiceFinished().getChoice()).setFinished(true);
      }
    }
    Resume.Builder resume = Resume.newBuilder().setNextSequence(sent.size() + 1);
    expected.forEach(resume::addChoices);
    Resume told = request.getHop().getResume();
    return told.equals(resume.build())
        ? Optional.empty()
        : Optional.of(told + " (expected: " + resume + ")");
  }
}
