package dev.sluice.worker.service;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.common.error.Statuses;
import dev.sluice.common.server.LogContext;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.PromptLogprobs;
import dev.sluice.v1.Started;
import dev.sluice.worker.engine.GenerationEngine;
import dev.sluice.worker.engine.GenerationSummary;
import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.engine.PrefillSummary;
import dev.sluice.worker.engine.TaskHandle;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.opentelemetry.context.Context;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One request from submission to its status: takes tokens from the engine, turns them into text,
 * finds stop strings, sends messages as fast as the client reads, and no faster.
 *
 * <p>Threading: a virtual thread of its own runs {@link #run}; the engine thread and gRPC's
 * callbacks only wake it. Whatever the client does, the engine never waits.
 */
final class GenerationCall implements Runnable {
  /** A reader that leaves more than this unread is too slow to be served. */
  static final int MAX_UNSENT_BYTES = 256 << 10;

  /** Usage so far, on failed calls. */
  static final Metadata.Key<byte[]> USAGE =
      Metadata.Key.of("sluice-usage-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private static final Logger log = LoggerFactory.getLogger(GenerationCall.class);

  private final GenerationPlan plan;
  private final GenerationEngine engine;
  private final List<ChoiceStream> choices;
  private final PromptScores promptScores;
  private final ResponseSink sink;
  private final ServedModel model;
  private final CallRecorder recorder;
  private final Mailbox mailbox;
  private final Mailbox.Batch batch = new Mailbox.Batch();
  private final Thread thread;
  private final Context trace = Context.current();

  private @Nullable TaskHandle handle;
  private volatile boolean hungUp;
  private volatile boolean news; // set by who wakes, cleared by the stream's thread
  private final long alreadySent; // messages that the client has
  private long sequence;
  private int turn;
  private boolean startedSent;
  private boolean over;

  GenerationCall(
      GenerationPlan plan,
      GenerationEngine engine,
      ResponseSink sink,
      ServedModel model,
      CallRecorder recorder) {
    this.plan = plan;
    this.engine = engine;
    this.choices =
        IntStream.range(0, plan.choices())
            .mapToObj(choice -> new ChoiceStream(choice, model.textStream(), plan))
            .toList();
    this.alreadySent = plan.resume().map(resume -> resume.nextSequence() - 1).orElse(0L);
    this.startedSent = plan.progress().isPresent();
    this.sequence = startedSent ? alreadySent : 0;
    this.promptScores = new PromptScores(startedSent ? alreadySent - 1 : 0);
    this.sink = sink;
    this.model = model;
    this.recorder = recorder;
    this.thread = Thread.ofVirtual().name("stream-" + plan.requestId()).unstarted(this);
    this.mailbox = new Mailbox(this::wake);
  }

  /**
   * Submits the task and starts the stream's thread.
   *
   * @throws RefusalException if the engine does not take it
   */
  void start(GenerationTask task) {
    plan.progress().ifPresent(progress -> resume(progress, task));
    handle = engine.submit(task, mailbox);
    for (int i = 0; i < choices.size(); i++) {
      if (choices.get(i).isStopped()) {
        stop(i); // its last token was received, its end was not
      }
    }
    thread.start();
  }

  private void resume(ResumePoint resume, GenerationTask task) {
    for (int i = 0; i < choices.size(); i++) {
      choices.get(i).resume(resume.choices().get(i), task::endsChoice);
    }
  }

  /** The client reads again, or the engine has news. */
  void wake() {
    news = true;
    LockSupport.unpark(thread);
  }

  /**
   * Waits until somebody has called {@link #wake} since the last wait. The permit of {@code unpark}
   * alone would not do: whatever lock is waited for on the way of a message takes it.
   */
  private void awaitNews() {
    while (!news) {
      LockSupport.park(this);
    }
    news = false;
  }

  /** The client hung up or its deadline passed. */
  void hangUp() {
    hungUp = true;
    if (handle != null) {
      engine.cancel(handle);
    }
    wake();
  }

  @Override
  public void run() {
    try (LogContext.Scope _ = LogContext.of(trace)) {
      stream();
    }
  }

  private void stream() {
    try {
      while (!over) {
        mailbox.take(batch);
        takeTokens();
        send();
        if (!over) {
          awaitNews();
        }
      }
    } catch (RefusalException e) {
      abort(e.refusal());
    } catch (RuntimeException e) {
      if (!hungUp) {
        log.error("request {} failed", plan.requestId(), e);
      }
      abort(new Refusal.Internal(plan.requestId(), "internal error"));
    }
  }

  private void takeTokens() {
    batch.promptLogprobs().forEach(logprob -> promptScores.add(Logprobs.toProto(logprob)));
    for (int i = 0; i < batch.count(); i++) {
      int choice = batch.choice(i);
      if (choices
          .get(choice)
          .add(batch.token(i), batch.ends(i), batch.logprob(i).map(Logprobs::toProto))) {
        stop(choice);
      }
    }
    for (Mailbox.Text text : batch.texts()) {
      if (choices.get(text.choice()).addText(text.text(), text.tokens())) {
        stop(text.choice());
      }
    }
    for (Mailbox.Ending ending : batch.endings()) {
      ChoiceStream choice = choices.get(ending.choice());
      ending.score().ifPresent(choice::score);
      choice.end(ending.cause());
    }
  }

  /** A choice needs no more tokens. */
  private void stop(int choice) {
    if (handle != null) {
      engine.stop(handle, choice, choices.get(choice).outputTokens());
    }
  }

  private void send() {
    sendMessages();
    int unsentBytes = choices.stream().mapToInt(ChoiceStream::unsentBytes).sum();
    if (unsentBytes > MAX_UNSENT_BYTES && plan.beam().isEmpty()) {
      throw new RefusalException(
          new Refusal.Overloaded(
              "SLOW_READER",
              "unsent output: "
                  + unsentBytes
                  + " bytes (expected: a reader that keeps it below "
                  + MAX_UNSENT_BYTES
                  + ")",
              Duration.ZERO,
              Map.of("limit", Integer.toString(MAX_UNSENT_BYTES))));
    }
    if (batch.end().isPresent()) {
      switch (batch.end().get()) {
        case Mailbox.End.Complete end when hungUp ->
            fail(new Refusal.Cancelled("the client hung up"), end.summary());
        case Mailbox.End.Complete end -> complete(end.summary());
        case Mailbox.End.Failed end -> fail(end.refusal(), end.summary());
      }
    }
  }

  /** Sends what there is, as long as the client reads. */
  private void sendMessages() {
    // All of a search is sent at once, so that its messages are the same when it is run again.
    boolean sent = plan.beam().isEmpty() || batch.end().isPresent();
    while (sent && sink.isReady()) {
      sent = sendNext();
    }
  }

  private boolean sendNext() {
    boolean news = false;
    for (int i = 0; i < choices.size(); i++) {
      news |= choices.get(i).hasNews();
    }
    if (!news) {
      return false;
    }
    if (!startedSent) {
      startedSent = true;
      emit(next().setStarted(started(batch.prefill().orElseThrow())));
      return true;
    }
    Optional<PromptLogprobs> scores = promptScores.poll();
    if (scores.isPresent()) {
      emit(next().setPromptLogprobs(scores.get()));
      return true;
    }
    boolean sent = false;
    for (int i = 0; i < choices.size() && !sent; i++) {
      sent = sendMessage(choices.get(turn));
      turn = (turn + 1) % choices.size();
    }
    return sent;
  }

  private boolean sendMessage(ChoiceStream choice) {
    Optional<Delta> delta = choice.pollDelta();
    if (delta.isPresent()) {
      emit(next().setDelta(delta.get()));
      return true;
    }
    Optional<ChoiceFinished> finished = choice.pollFinished();
    finished.ifPresent(end -> emit(next().setChoiceFinished(end)));
    return finished.isPresent();
  }

  private Started started(PrefillSummary prefill) {
    return Started.newBuilder()
        .setRequestId(plan.requestId())
        .setModel(model.id())
        .setWorkerId(model.workerId())
        .setPromptTokens(prefill.promptTokens())
        .setCachedPromptTokens(prefill.cachedPromptTokens())
        .setSeed(plan.sampling().seed())
        .setQueueNanos(prefill.queueNanos())
        .setPrefillNanos(prefill.prefillNanos())
        .build();
  }

  private void complete(GenerationSummary summary) {
    if (!choices.stream().allMatch(ChoiceStream::isOver)) {
      return;
    }
    over = true;
    emit(next().setFinished(Endings.finished(plan, summary, outputTokens())));
    recorder.completed(
        choices.stream()
            .flatMap(choice -> choice.finished().stream())
            .map(ChoiceFinished::getReason)
            .toList(),
        summary,
        outputTokens());
    sink.complete();
  }

  private int outputTokens() {
    return choices.stream().mapToInt(ChoiceStream::outputTokens).sum();
  }

  private void fail(Refusal refusal, GenerationSummary summary) {
    over = true;
    StatusRuntimeException status = Statuses.toException(refusal);
    Metadata trailers = status.getTrailers();
    if (trailers != null) {
      trailers.put(USAGE, Endings.usage(summary, outputTokens()).toByteArray());
    }
    recorder.failed(status.getStatus(), summary, outputTokens());
    if (!hungUp) {
      sink.fail(status);
    }
  }

  /** Ends the request for a reason of the stream's own, and waits for the engine to let go. */
  private void abort(Refusal refusal) {
    if (handle != null) {
      engine.cancel(handle);
    }
    mailbox.take(batch);
    while (batch.end().isEmpty()) {
      awaitNews();
      mailbox.take(batch);
    }
    GenerationSummary summary =
        switch (batch.end().get()) {
          case Mailbox.End.Complete end -> end.summary();
          case Mailbox.End.Failed end -> end.summary();
        };
    try {
      fail(refusal, summary);
    } catch (RuntimeException e) {
      log.debug("request {}: the call was gone", plan.requestId(), e);
    }
  }

  private GenerateResponse.Builder next() {
    return GenerateResponse.newBuilder().setSequence(++sequence);
  }

  private void emit(GenerateResponse.Builder message) {
    if (message.getSequence() > alreadySent) {
      sink.send(message.build());
    }
  }
}
