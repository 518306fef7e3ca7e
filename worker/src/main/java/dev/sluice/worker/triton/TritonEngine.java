package dev.sluice.worker.triton;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.common.server.LogContext;
import dev.sluice.triton.ModelInferResponse;
import dev.sluice.worker.engine.CacheContent;
import dev.sluice.worker.engine.CacheJournal;
import dev.sluice.worker.engine.EngineObserver;
import dev.sluice.worker.engine.EngineSnapshot;
import dev.sluice.worker.engine.FinishCause;
import dev.sluice.worker.engine.GenerationEngine;
import dev.sluice.worker.engine.GenerationListener;
import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.engine.NanoClock;
import dev.sluice.worker.engine.Refusals;
import dev.sluice.worker.engine.TaskHandle;
import io.grpc.ClientInterceptor;
import io.grpc.Deadline;
import io.grpc.Status;
import io.opentelemetry.context.Context;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs tasks on a model of a Triton server. So many run there at a time as the configuration says;
 * the others wait here, in fair order. A request is one call to Triton: when it ends here, for
 * whatever reason, the call is cancelled, and Triton's model hears of it.
 *
 * <p>While the server is away, or its model is not as configured, no task is taken, and those that
 * wait fail at once: whoever sent them may have another worker. It is looked for until it is back.
 *
 * <p>Threading: its monitor guards everything; it is held for no longer than it takes to write a
 * request or to hand over a response, and listeners are called within it. Calls come from those who
 * submit, from gRPC (responses), from the timer thread {@code triton-timer} (deadlines, drain) and
 * from the thread {@code triton-probe}, which alone waits for the server.
 */
public final class TritonEngine implements GenerationEngine {
  private static final Logger log = LoggerFactory.getLogger(TritonEngine.class);

  private final TritonLimits limits;
  private final TritonClient client;
  private final NanoClock clock;
  private final EngineObserver observer;
  private final TritonQueue queue;
  private final TritonAdmission admission;
  private final Delivery delivery;
  private final CacheJournal journal = new CacheJournal(); // stays empty: the cache is Triton's
  private final ScheduledThreadPoolExecutor timer =
      new ScheduledThreadPoolExecutor(
          1, Thread.ofPlatform().name("triton-timer").daemon().factory());
  private final ModelWatch watch;

  private EngineSnapshot.State serving = EngineSnapshot.State.SERVING;
  private boolean closing;
  private boolean doubtful; // a call failed as if the server were away: first ask it
  private @Nullable ScheduledFuture<?> drainEnd;
  private long responses;
  private long cancelled;

  /**
   * @param tracing sends the trace of a request along
   * @param availability hears whether the model can be used, whenever that changes
   */
  public TritonEngine(
      TritonConfig config,
      TritonLimits limits,
      NanoClock clock,
      EngineObserver observer,
      ClientInterceptor tracing,
      Consumer<Boolean> availability) {
    this.limits = limits;
    this.clock = clock;
    this.observer = observer;
    this.queue = new TritonQueue(limits);
    this.admission = new TritonAdmission(config.contextLength(), limits, queue);
    this.delivery = new Delivery(clock, observer, admission.predictor(), queue);
    this.client = new TritonClient(config, tracing);
    this.watch = new ModelWatch(config, client, availability, this::asked);
    timer.setRemoveOnCancelPolicy(true);
    timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  /** Begins to look for the server. */
  @Override
  public void start() {
    watch.start();
  }

  /** The server has answered, or has not. */
  private synchronized void asked() {
    doubtful = false;
    TritonState now = watch.state();
    if (now instanceof TritonState.Ready) {
      send();
    } else {
      Refusal refusal = ModelWatch.refusal(now, limits.retryAfter());
      queue.waiting().forEach(request -> fail(request, refusal));
    }
  }

  @Override
  public synchronized TaskHandle submit(GenerationTask task, GenerationListener listener) {
    long now = clock.nanos();
    Refusals.checkDeadline(task, now);
    if (serving != EngineSnapshot.State.SERVING) {
      throw new RefusalException(Refusals.notServing(serving, limits.retryAfter()));
    }
    TritonState state = watch.state();
    if (!(state instanceof TritonState.Ready(ModelBinding binding))) {
      throw new RefusalException(ModelWatch.refusal(state, limits.retryAfter()));
    }
    binding.inputs().check(task);
    int promptTokens = TritonAdmission.promptTokens(task);
    Asked asked = new Asked(task, admission.outputLimit(task, promptTokens));
    admission.check(task, promptTokens, now);
    TritonRequest request =
        new TritonRequest(
            asked, listener, promptTokens, deadline(task, now), Context.current(), now);
    queue.add(request, now);
    if (task.deadlineNanos().isPresent()) {
      request.expiry =
          timer.schedule(
              () -> expire(request), task.deadlineNanos().getAsLong() - now, TimeUnit.NANOSECONDS);
    }
    send();
    return request;
  }

  private static Optional<Deadline> deadline(GenerationTask task, long now) {
    OptionalLong deadline = task.deadlineNanos();
    return deadline.isPresent()
        ? Optional.of(Deadline.after(deadline.getAsLong() - now, TimeUnit.NANOSECONDS))
        : Optional.empty();
  }

  private synchronized void expire(TritonRequest request) {
    fail(request, request.expired());
    send();
  }

  /** Sends those that come next, as many as there are places. */
  private void send() {
    while (!doubtful
        && queue.waitingCount() > 0
        && queue.hasPlace()
        && watch.state() instanceof TritonState.Ready(ModelBinding binding)) {
      long now = clock.nanos();
      TritonRequest next = queue.next(now);
      observer.onScheduled(next.task(), next.markSent(now));
      try {
        TritonCall call =
            new TritonCall(
                response -> take(next, binding, response), status -> callEnded(next, status));
        next.call = call;
        client.infer(binding.inputs().request(next.asked), next.deadline, next.trace, call);
      } catch (RuntimeException e) {
        logError("request {} could not be sent to Triton", next, e);
        fail(next, new Refusal.Internal(next.requestId(), "the request could not be sent"));
      }
    }
  }

  private synchronized void take(
      TritonRequest request, ModelBinding binding, ModelInferResponse response) {
    if (request.ended) {
      return;
    }
    responses++;
    try {
      delivery
          .deliver(request, binding.outputs().read(response), binding.inputs().limitLength())
          .ifPresent(cause -> complete(request, cause));
    } catch (RuntimeException e) {
      logError("request {}: what Triton answered cannot be used", request, e);
      fail(
          request,
          new Refusal.Internal(
              request.requestId(), "what Triton answered cannot be used: " + e.getMessage()));
    }
    send();
  }

  private static void logError(String message, TritonRequest request, Throwable error) {
    try (LogContext.Scope _ = LogContext.of(request.trace)) {
      log.error(message, request.requestId(), error);
    }
  }

  private synchronized void callEnded(TritonRequest request, Status status) {
    if (request.ended) {
      return;
    }
    if (status.isOk()) {
      complete(request, Delivery.ending(request));
    } else {
      if (status.getCode() == Status.Code.UNAVAILABLE && !doubtful && !closing) {
        doubtful = true; // the others would fail, too
        watch.doubt();
      }
      fail(request, client.refusal(request, status, limits.retryAfter()));
    }
    send();
  }

  /** Ends a request well; what waits is not sent yet. */
  private void complete(TritonRequest request, FinishCause cause) {
    if (request.ended) {
      return;
    }
    try {
      delivery.end(request, cause);
    } catch (RuntimeException e) {
      logError("request {}: its listener failed", request, e);
      fail(request, Refusals.listenerFailed(request.requestId()));
      return;
    }
    long now = clock.nanos();
    if (!(cause instanceof FinishCause.Stopped)) {
      admission.predictor().completed(request.sinceSentNanos(now));
    }
    release(request);
    request.listener.onComplete(request.summary(now));
  }

  /** Ends a request otherwise; what waits is not sent yet. */
  private void fail(TritonRequest request, Refusal refusal) {
    if (!request.ended) {
      release(request);
      request.listener.onFailed(refusal, request.summary(clock.nanos()));
    }
  }

  /** Takes everything away that a request holds, here and at Triton. */
  private void release(TritonRequest request) {
    request.ended = true;
    if (request.expiry != null) {
      request.expiry.cancel(false);
    }
    queue.remove(request);
    if (request.call != null) {
      request.call.cancel();
    }
    if (queue.isEmpty()) {
      notifyAll();
    }
  }

  @Override
  public synchronized void cancel(TaskHandle handle) {
    TritonRequest request = (TritonRequest) handle;
    if (!request.ended) {
      cancelled++;
      fail(request, Refusals.cancelled());
      send();
    }
  }

  @Override
  public synchronized void stop(TaskHandle handle, int choice, int keptTokens) {
    TritonRequest request = (TritonRequest) handle;
    if (!request.ended) {
      request.outputTokens = Math.min(request.outputTokens, keptTokens);
      complete(request, new FinishCause.Stopped());
      send();
    }
  }

  @Override
  public boolean obeysConstraints() {
    return false;
  }

  @Override
  public synchronized void drain(Duration grace) {
    if (!closing) {
      serving = EngineSnapshot.State.DRAINING;
      endDrainTimer();
      drainEnd = timer.schedule(this::failAll, grace.toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  @Override
  public synchronized void undrain() {
    if (!closing) {
      endDrainTimer();
      serving = EngineSnapshot.State.SERVING;
    }
  }

  private void endDrainTimer() {
    if (drainEnd != null) {
      drainEnd.cancel(false);
      drainEnd = null;
    }
  }

  private synchronized void failAll() {
    Refusal refusal = Refusals.drained(limits.retryAfter());
    queue.all().forEach(request -> fail(request, refusal));
  }

  @Override
  public boolean close(Duration grace) throws InterruptedException {
    awaitIdle(grace);
    failAll();
    watch.close();
    timer.shutdownNow();
    client.close();
    return true;
  }

  private synchronized void awaitIdle(Duration grace) throws InterruptedException {
    closing = true;
    serving = EngineSnapshot.State.DRAINING;
    long end = clock.nanos() + grace.toNanos();
    long left = grace.toNanos();
    while (left > 0 && !queue.isEmpty()) {
      TimeUnit.NANOSECONDS.timedWait(this, left);
      left = end - clock.nanos();
    }
    serving = EngineSnapshot.State.STOPPED;
  }

  @Override
  public CacheJournal cacheJournal() {
    return journal;
  }

  @Override
  public CompletableFuture<CacheContent> cacheContent() {
    return CompletableFuture.completedFuture(new CacheContent(new long[0], 0));
  }

  /** None: how long a model of Triton's may take for its next part is not ours to say. */
  @Override
  public CompletableFuture<List<String>> decodingRequestIds() {
    return CompletableFuture.completedFuture(List.of());
  }

  /** A response of Triton's counts as a step: an engine without any for long is stuck. */
  @Override
  public synchronized EngineSnapshot snapshot() {
    return new EngineSnapshot(
        serving,
        queue.runningCount(),
        queue.waitingCount(),
        queue.pendingTokens(),
        0,
        0,
        0,
        responses,
        0,
        0,
        delivery.outputTokens(),
        0,
        cancelled,
        0,
        0,
        new EngineSnapshot.Phases(0, 0, 0, 0));
  }
}
