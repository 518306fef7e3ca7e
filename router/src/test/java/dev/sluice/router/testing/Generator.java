package dev.sluice.router.testing;

import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.ChoiceProgress;
import dev.sluice.v1.Delta;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.Finished;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Started;
import dev.sluice.v1.Timings;
import dev.sluice.v1.Usage;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * A worker's side of {@code RouterHop.resume} without a model: a token is a pure function of seed,
 * choice and position; the text of a choice's last token is held back until the next one, as if it
 * might begin a stop string; and a stream goes on where {@code resume} says. Choice {@code c} has
 * {@code max_tokens - c} tokens.
 *
 * <p>Threading: thread-safe, no state.
 */
public final class Generator implements FakeWorker.Script {
  private static final String[] PIECES = {"a", " the", "é", "語", "😀", "\n", " "};

  private final String workerId;
  private final long breakAfter;
  private final Consumer<ServerCallStreamObserver<GenerateResponse>> onBreak;

  public Generator(String workerId) {
    this(workerId, Long.MAX_VALUE, client -> {});
  }

  private Generator(
      String workerId,
      long breakAfter,
      Consumer<ServerCallStreamObserver<GenerateResponse>> onBreak) {
    this.workerId = workerId;
    this.breakAfter = breakAfter;
    this.onBreak = onBreak;
  }

  /** Sends no message beyond this sequence number, then does as it is told. */
  public static Generator breaking(
      String workerId,
      long afterSequence,
      Consumer<ServerCallStreamObserver<GenerateResponse>> how) {
    return new Generator(workerId, afterSequence, how);
  }

  /** What a client gets of a stream that nothing disturbs; timings apart. */
  public static List<GenerateResponse> undisturbed(String workerId, GenerateRequest request) {
    List<GenerateResponse> messages = new ArrayList<>();
    Stream stream = new Stream(workerId, request);
    while (!stream.over) {
      messages.add(stream.next());
    }
    return messages;
  }

  @Override
  public void run(GenerateRequest request, ServerCallStreamObserver<GenerateResponse> client) {
    client.setOnCancelHandler(() -> {}); // a message after a cancel is then no error
    Stream stream = new Stream(workerId, request);
    if (!stream.fault.isEmpty()) {
      client.onError(Status.INVALID_ARGUMENT.withDescription(stream.fault).asRuntimeException());
      return;
    }
    while (!stream.over && stream.sequence < breakAfter) {
      client.onNext(stream.next());
    }
    if (stream.sequence >= breakAfter) {
      onBreak.accept(client);
    } else {
      client.onCompleted();
    }
  }

  /** One stream from its beginning or from where it broke off. */
  private static final class Stream {
    private final String workerId;
    private final GenerateRequest request;
    private final long seed;
    private final int maxTokens;
    private final int[] count; // tokens sent, by choice
    private final long[] sentBytes; // of text
    private final boolean[] finished;
    private boolean started;
    private boolean over;
    private long sequence;
    private String fault = "";

    Stream(String workerId, GenerateRequest request) {
      this.workerId = workerId;
      this.request = request;
      int n = request.hasN() ? request.getN() : 1;
      seed =
          request.getSampling().hasSeed()
              ? request.getSampling().getSeed()
              : request.getHop().getSeed();
      maxTokens = Math.max(n, request.getStopping().getMaxTokens());
      count = new int[n];
      sentBytes = new long[n];
      finished = new boolean[n];
      if (request.getHop().hasResume()) {
        started = true;
        sequence = request.getHop().getResume().getNextSequence() - 1;
        request.getHop().getResume().getChoicesList().forEach(this::resume);
      }
    }

    private void resume(ChoiceProgress progress) {
      int c = progress.getChoice();
      count[c] = progress.getTokenIdsCount();
      sentBytes[c] = progress.getTextBytes();
      finished[c] = progress.getFinished();
      for (int i = 0; i < count[c]; i++) {
        if (progress.getTokenIds(i) != token(c, i)) {
          fault = "choice " + c + " token " + i + ": " + progress.getTokenIds(i);
        }
      }
      if (sentBytes[c] != text(c, count[c]).length) {
        fault = "choice " + c + ": " + sentBytes[c] + " bytes of text";
      }
    }

    GenerateResponse next() {
      GenerateResponse.Builder message = GenerateResponse.newBuilder().setSequence(++sequence);
      if (!started) {
        started = true;
        return message
            .setStarted(
                Started.newBuilder()
                    .setRequestId(request.getRequestId())
                    .setModel("m")
                    .setWorkerId(workerId)
                    .setPromptTokens(3)
                    .setCachedPromptTokens(2)
                    .setQueueNanos(5)
                    .setPrefillNanos(7)
                    .setSeed(seed))
            .build();
      }
      int next = -1;
      for (int c = 0; c < count.length; c++) {
        if (count[c] == length(c) && !finished[c]) {
          finished[c] = true;
          return message
              .setChoiceFinished(
                  ChoiceFinished.newBuilder()
                      .setChoice(c)
                      .setReason(FinishReason.FINISH_REASON_LENGTH))
              .build();
        }
        if (!finished[c] && (next < 0 || count[c] < count[next])) {
          next = c;
        }
      }
      return next < 0 ? end(message) : message.setDelta(delta(next)).build();
    }

    private Delta delta(int c) {
      count[c]++;
      byte[] text = text(c, count[c]);
      String fresh =
          new String(
              Arrays.copyOfRange(text, (int) sentBytes[c], text.length), StandardCharsets.UTF_8);
      sentBytes[c] = text.length;
      return Delta.newBuilder()
          .setChoice(c)
          .addTokenIds(token(c, count[c] - 1))
          .setText(fresh)
          .build();
    }

    private GenerateResponse end(GenerateResponse.Builder message) {
      over = true;
      return message
          .setFinished(
              Finished.newBuilder()
                  .setUsage(
                      Usage.newBuilder()
                          .setPromptTokens(3)
                          .setCachedPromptTokens(3)
                          .setOutputTokens(Arrays.stream(count).sum()))
                  .setTimings(Timings.newBuilder().setQueueNanos(11).setPrefillNanos(13)))
          .build();
    }

    private int length(int c) {
      return maxTokens - c;
    }

    private int token(int c, int position) {
      long mixed = (seed * 31 + c) * 0x9e3779b97f4a7c15L + position * 0xbf58476d1ce4e5b9L;
      return (int) ((mixed ^ (mixed >>> 31)) >>> 40) & 0xffff; // one to three bytes as a varint
    }

    /** What may be sent after so many tokens. */
    private byte[] text(int c, int tokens) {
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < (tokens == length(c) ? tokens : tokens - 1); i++) {
        text.append(PIECES[token(c, i) % PIECES.length]);
      }
      return text.toString().getBytes(StandardCharsets.UTF_8);
    }
  }
}
