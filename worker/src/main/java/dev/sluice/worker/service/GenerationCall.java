package dev.sluice.worker.service;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.common.error.Statuses;
import dev.sluice.common.tokenizer.TextStream;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Started;
import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.GenerationSummary;
import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.engine.PrefillSummary;
import dev.sluice.worker.engine.TaskHandle;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
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
  private final Engine engine;
  private final TextStream text;
  private final StopMatcher stops;
  private final ResponseSink sink;
  private final ServedModel model;
  private final CallRecorder recorder;
  private final Mailbox mailbox;
  private final Mailbox.Batch batch = new Mailbox.Batch();
  private final Outbox outbox = new Outbox(0);
  private final Thread thread;

  private @Nullable TaskHandle handle;
  private volatile boolean hungUp;
  private long sequence;
  private int outputTokens;
  private boolean startedSent;
  private boolean over;

  GenerationCall(
      GenerationPlan plan,
      Engine engine,
      TextStream text,
      ResponseSink sink,
      ServedModel model,
      CallRecorder recorder) {
    this.plan = plan;
    this.engine = engine;
    this.text = text;
    this.stops = new StopMatcher(plan.stop(), plan.includeStop());
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
    handle = engine.submit(task, mailbox);
    thread.start();
  }

  /** The client reads again, or the engine has news. */
  void wake() {
    LockSupport.unpark(thread);
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
    try {
      while (!over) {
        mailbox.take(batch);
        takeTokens();
        send();
        if (!over) {
          LockSupport.park(this);
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
    for (int i = 0; i < batch.count() && stops.matched().isEmpty(); i++) {
      int token = batch.token(i);
      outputTokens++;
      boolean silent = batch.ends(i) && !plan.includeStop();
      outbox.addToken(token, silent ? "" : stops.append(text.append(token)));
      if (stops.matched().isPresent() && batch.end().isEmpty() && handle != null) {
        engine.stop(handle, 0, outputTokens);
      }
    }
  }

  private void send() {
    sendDeltas();
    if (outbox.unsentBytes() > MAX_UNSENT_BYTES) {
      throw new RefusalException(
          new Refusal.Overloaded(
              "SLOW_READER",
              "unsent output: "
                  + outbox.unsentBytes()
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
        case Mailbox.End.Complete end -> complete(end);
        case Mailbox.End.Failed end -> fail(end.refusal(), end.summary());
      }
    }
  }

  private void sendDeltas() {
    while (sink.isReady()) {
      Optional<Delta> delta = outbox.poll();
      if (delta.isEmpty()) {
        return;
      }
      sendStarted();
      sink.send(next().setDelta(delta.get()).build());
    }
  }

  private void sendStarted() {
    if (startedSent) {
      return;
    }
    startedSent = true;
    PrefillSummary prefill = batch.prefill().orElseThrow();
    sink.send(
        next()
            .setStarted(
                Started.newBuilder()
                    .setRequestId(plan.requestId())
                    .setModel(model.id())
                    .setWorkerId(model.workerId())
                    .setPromptTokens(prefill.promptTokens())
                    .setCachedPromptTokens(prefill.cachedPromptTokens())
                    .setSeed(plan.seed())
                    .setQueueNanos(prefill.queueNanos())
                    .setPrefillNanos(prefill.prefillNanos()))
            .build());
  }

  private void complete(Mailbox.End.Complete end) {
    if (stops.matched().isEmpty()) {
      outbox.addText(stops.append(text.flush()));
      outbox.addText(stops.flush());
    }
    sendDeltas();
    if (outbox.unsentBytes() > 0) {
      return;
    }
    over = true;
    ChoiceFinished finished = Endings.choice(0, end.cause(), stops.matched());
    sink.send(next().setChoiceFinished(finished).build());
    sink.send(next().setFinished(Endings.finished(plan, end.summary(), outputTokens)).build());
    recorder.completed(finished.getReason(), end.summary(), outputTokens);
    sink.complete();
  }

  private void fail(Refusal refusal, GenerationSummary summary) {
    over = true;
    StatusRuntimeException status = Statuses.toException(refusal);
    Metadata trailers = status.getTrailers();
    if (trailers != null) {
      trailers.put(USAGE, Endings.usage(summary, outputTokens).toByteArray());
    }
    recorder.failed(status.getStatus(), summary, outputTokens);
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
      LockSupport.park(this);
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
}
