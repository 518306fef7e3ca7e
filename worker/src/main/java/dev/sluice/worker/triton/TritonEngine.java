package dev.sluice.worker.triton;

import static java.util.Objects.requireNonNull;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.common.fair.FairQueue;
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
import dev.sluice.worker.engine.TaskHandle;
import io.grpc.ClientInterceptor;
import io.grpc.Deadline;
import io.grpc.Status;
import io.opentelemetry.context.Context;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
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
  private static final int MAX_IDLE_TENANTS = 4096;

  private final TritonLimits limits;
  private final TritonClient client;
  private final NanoClock clock;
  private final EngineObserver observer;
  private final FairQueue<TritonRequest> queue;
  private final Set<TritonRequest> waiting = new LinkedHashSet<>();
  private final Set<TritonRequest> running = new LinkedHashSet<>();
  private final TritonAdmission admission;
  private final CacheJournal journal = new CacheJournal(); // stays empty: the cache is Triton's
  private final ScheduledThreadPoolExecutor timer =
      new ScheduledThreadPoolExecutor(
          1, Thread.ofPlatform().name("triton-timer").daemon().factory());
  private final ModelWatch watch;

  private EngineSnapshot.State serving = EngineSnapshot.State.SERVING;
  private boolean closing;
  private boolean doubtful; // a call failed as if the server were away: first ask it
  private @Nullable ScheduledFuture<?> drainEnd;
  private long serials;
  private long waitingTokens;
  private long unansweredTokens; // of prompts that are at Triton, without output yet
  private long responses;
  private long outputTokens;
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
    this.admission = new TritonAdmission(config.contextLength(), limits);
    this.client = new TritonClient(config, tracing);
    this.queue = new FairQueue<>(limits.ageingNanos(), MAX_IDLE_TENANTS);
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
      List.copyOf(waiting).forEach(request -> fail(request, refusal));
    }
  }

  @Override
  public synchronized TaskHandle submit(GenerationTask task, GenerationListener listener) {
    long now = clock.nanos();
    if (task.deadlineNanos().isPresent() && task.deadlineNanos().getAsLong() - now <= 0) {
      throw new RefusalException(
          new Refusal.DeadlineExceeded("the deadline had passed when the request arrived"));
    }
    if (serving != EngineSnapshot.State.SERVING) {
      throw new RefusalException(
          new Refusal.Unavailable(
              serving.name(),
              serving == EngineSnapshot.State.DRAINING
                  ? "the worker is draining"
                  : "the worker has stopped",
              limits.retryAfter()));
    }
    TritonState state = watch.state();
    if (!(state instanceof TritonState.Ready(ModelBinding binding))) {
      throw new RefusalException(ModelWatch.refusal(state, limits.retryAfter()));
    }
    binding.inputs().check(task);
    int promptTokens = TritonAdmission.promptTokens(task);
    Asked asked = new Asked(task, admission.outputLimit(task, promptTokens));
    if (running.size() >= limits.maxRunning() || !queue.isEmpty()) {
      admission.checkRoom(promptTokens, waiting.size(), waitingTokens, running.size());
    }
    admission.checkTime(
        task,
        queue.ahead(task.tenant(), task.priority(), limits.weight(task.tenant()), promptTokens),
        running.size(),
        now);
    TritonRequest request =
        new TritonRequest(
            asked, listener, promptTokens, deadline(task, now), Context.current(), now);
    enqueue(request, now);
    send();
    return request;
  }

  private static Optional<Deadline> deadline(GenerationTask task, long now) {
    OptionalLong deadline = task.deadlineNanos();
    return deadline.isPresent()
        ? Optional.of(Deadline.after(deadline.getAsLong() - now, TimeUnit.NANOSECONDS))
        : Optional.empty();
  }

  private void enqueue(TritonRequest request, long now) {
    GenerationTask task = request.task();
    request.place =
        queue.open(
            request,
            limits.fair() ? task.tenant() : "",
            limits.fair() ? task.priority() : 0,
            limits.fair() ? limits.weight(task.tenant()) : 1,
            serials++);
    queue.add(request.place(), request.promptTokens, now);
    waiting.add(request);
    waitingTokens += request.promptTokens;
    if (task.deadlineNanos().isPresent()) {
      request.expiry =
          timer.schedule(
              () -> expire(request), task.deadlineNanos().getAsLong() - now, TimeUnit.NANOSECONDS);
    }
  }

  private synchronized void expire(TritonRequest request) {
    fail(request, new Refusal.DeadlineExceeded(request.lateMessage()));
  }

  /** Sends those that come next, as many as there are places. */
  private void send() {
    while (!doubtful
        && running.size() < limits.maxRunning()
        && watch.state() instanceof TritonState.Ready(ModelBinding binding)
        && !queue.isEmpty()) {
      long now = clock.nanos();
      TritonRequest next = requireNonNull(queue.first(now)).item();
      queue.take(next.place(), now);
      waiting.remove(next);
      waitingTokens -= next.promptTokens;
      running.add(next);
      unansweredTokens += next.promptTokens;
      queue.charge(next.place(), next.promptTokens);
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
      Outputs.Part part = binding.outputs().read(response);
      request.endedByLength |= part.endedByLength();
      hand(request, part, binding.inputs().limitLength());
      if (!request.ended && part.last()) {
        complete(request, ending(request));
      }
    } catch (RuntimeException e) {
      logError("request {}: what Triton answered cannot be used", request, e);
      fail(
          request,
          new Refusal.Internal(
              request.requestId(), "what Triton answered cannot be used: " + e.getMessage()));
    }
  }

  private static void logError(String message, TritonRequest request, Throwable error) {
    try (LogContext.Scope _ = LogContext.of(request.trace)) {
      log.error(message, request.requestId(), error);
    }
  }

  private void hand(TritonRequest request, Outputs.Part part, boolean modelLimits) {
    if (part.isEmpty()) {
      return;
    }
    long now = clock.nanos();
    if (!request.hasOutput()) {
      unansweredTokens -= request.promptTokens;
      admission.predictor().first(request.sinceSentNanos(now));
      observer.onFirstToken(request.task(), request.markFirst(now));
      request.listener.onPrefilled(request.prefill(now));
    } else {
      observer.onNextToken(request.task(), request.markNext(now));
    }
    if (!part.text().isEmpty()) {
      count(request, part.tokens());
      request.listener.onText(0, request.text.append(part.text()), part.tokens());
      if (!modelLimits && isFull(request)) {
        complete(request, fullCause(request));
      }
    }
    for (int id : part.ids()) {
      if (request.ended) {
        return;
      }
      boolean ends = request.task().endsChoice(id);
      count(request, 1);
      request.listener.onToken(0, id, ends, now);
      if (ends) {
        complete(request, request.task().endingCause(id));
      } else if (isFull(request)) {
        complete(request, fullCause(request));
      }
    }
  }

  private void count(TritonRequest request, int tokens) {
    request.outputTokens += tokens;
    outputTokens += tokens;
    queue.charge(request.place(), tokens);
  }

  private static boolean isFull(TritonRequest request) {
    return request.outputTokens >= request.asked.maxTokens();
  }

  private static FinishCause fullCause(TritonRequest request) {
    return request.task().maxTokens().isPresent()
        ? new FinishCause.Length()
        : new FinishCause.Context();
  }

  /** Why the model has ended its output. */
  private static FinishCause ending(TritonRequest request) {
    return request.endedByLength || isFull(request)
        ? fullCause(request)
        : new FinishCause.EndOfOutput();
  }

  private synchronized void callEnded(TritonRequest request, Status status) {
    if (request.ended) {
      return;
    }
    if (status.isOk()) {
      complete(request, ending(request));
      return;
    }
    if (status.getCode() == Status.Code.UNAVAILABLE && !doubtful && !closing) {
      doubtful = true; // the others would fail, too
      watch.doubt();
    }
    fail(request, client.refusal(request, status, limits.retryAfter()));
  }

  private void complete(TritonRequest request, FinishCause cause) {
    long now = clock.nanos();
    try {
      if (!request.hasOutput()) {
        request.listener.onPrefilled(request.prefill(now));
      }
      String rest = request.text.flush();
      if (!rest.isEmpty()) {
        request.listener.onText(0, rest, 0);
      }
      request.listener.onChoiceFinished(0, cause);
    } catch (RuntimeException e) {
      logError("request {}: its listener failed", request, e);
      fail(request, new Refusal.Internal(request.requestId(), "the receiver failed"));
      return;
    }
    if (!(cause instanceof FinishCause.Stopped)) {
      admission.predictor().completed(request.sinceSentNanos(now));
    }
    release(request);
    request.listener.onComplete(request.summary(now));
    send();
  }

  private void fail(TritonRequest request, Refusal refusal) {
    if (request.ended) {
      return;
    }
    release(request);
    request.listener.onFailed(refusal, request.summary(clock.nanos()));
    send();
  }

  /** Takes everything away that a request holds, here and at Triton. */
  private void release(TritonRequest request) {
    request.ended = true;
    if (request.expiry != null) {
      request.expiry.cancel(false);
    }
    queue.close(request.place());
    if (running.remove(request)) {
      unansweredTokens -= request.hasOutput() ? 0 : request.promptTokens;
    } else if (waiting.remove(request)) {
      waitingTokens -= request.promptTokens;
    }
    if (request.call != null) {
      request.call.cancel();
    }
    if (running.isEmpty() && waiting.isEmpty()) {
      notifyAll();
    }
  }

  @Override
  public synchronized void cancel(TaskHandle handle) {
    TritonRequest request = (TritonRequest) handle;
    if (!request.ended) {
      cancelled++;
      fail(request, new Refusal.Cancelled("the caller has cancelled the request"));
    }
  }

  @Override
  public synchronized void stop(TaskHandle handle, int choice, int keptTokens) {
    TritonRequest request = (TritonRequest) handle;
    if (!request.ended) {
      request.outputTokens = Math.min(request.outputTokens, keptTokens);
      complete(request, new FinishCause.Stopped());
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
    Refusal refusal =
        new Refusal.Unavailable(
            "DRAINING", "the worker ended before the request did", limits.retryAfter());
    // Those that wait first, so that none of them is sent.
    List.copyOf(waiting).forEach(request -> fail(request, refusal));
    List.copyOf(running).forEach(request -> fail(request, refusal));
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
    while (left > 0 && !(running.isEmpty() && waiting.isEmpty())) {
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
        running.size(),
        waiting.size(),
        waitingTokens + unansweredTokens,
        0,
        0,
        0,
        responses,
        0,
        0,
        outputTokens,
        0,
        cancelled,
        0,
        0,
        new EngineSnapshot.Phases(0, 0, 0, 0));
  }
}
