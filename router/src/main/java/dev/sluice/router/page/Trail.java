package dev.sluice.router.page;

import dev.sluice.v1.Timings;
import dev.sluice.v1.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/**
 * What one request notes on its way, until it becomes a {@link RequestRecord}. A few notes per
 * request and attempt, none per token.
 *
 * <p>Threading: any thread: a cancel may end it while the driver of the call still notes something.
 * What is noted after the end is dropped.
 */
public final class Trail {
  private static final int MAX_TEXT = 64; // characters of what clients make up
  private static final int MAX_ATTEMPTS = 16;

  private final RequestLog log;
  private final String method;
  private final long arrivalMillis;
  private final long arrivalNanos;

  // All below guarded by this.
  private final List<Part> parts = new ArrayList<>(1);
  private final Set<String> finishReasons = new TreeSet<>();
  private String id = "";
  private String trace = "";
  private String model = "";
  private String tenant = "";
  private String reason = "";
  private int promptTokens;
  private int cachedTokens;
  private int outputTokens;
  private int candidates;
  private boolean queued;
  private boolean over;
  private long prepareNanos;
  private long routeNanos;
  private long interruptedNanos;
  private OptionalLong waitNanos = OptionalLong.empty();
  private OptionalLong ttftNanos = OptionalLong.empty();
  private OptionalLong itlMeanNanos = OptionalLong.empty();
  private OptionalLong itlMaxNanos = OptionalLong.empty();

  /** One attempt; a value that is not known yet is empty. */
  private static final class Part {
    private final String worker;
    private final long startNanos;
    private OptionalLong firstNanos = OptionalLong.empty();
    private OptionalLong endNanos = OptionalLong.empty();
    private OptionalLong queueNanos = OptionalLong.empty();
    private OptionalLong prefillNanos = OptionalLong.empty();
    private String outcome = "cancelled"; // if the call ends before it

    Part(String worker, long startNanos) {
      this.worker = worker;
      this.startNanos = startNanos;
    }
  }

  Trail(RequestLog log, String method, long arrivalMillis, long arrivalNanos) {
    this.log = log;
    this.method = method;
    this.arrivalMillis = arrivalMillis;
    this.arrivalNanos = arrivalNanos;
  }

  /** The request is known; {@code model} as the caller names it. */
  public synchronized void received(String requestId, String traceId, String model) {
    id = clip(requestId);
    trace = traceId;
    this.model = clip(model);
  }

  /** It comes to those that may have to wait; {@code tokens} of its prompt, maybe estimated. */
  public synchronized void arrives(String tenant, int tokens) {
    this.tenant = clip(tenant);
    promptTokens = tokens;
  }

  /** The prompt was rendered and tokenized. */
  public synchronized void prepared(long nanos) {
    prepareNanos = nanos;
  }

  /** It waits for a worker with room. */
  public synchronized void queued() {
    queued = true;
  }

  /** A worker was chosen. */
  public synchronized void routed(String modelId, int workers) {
    model = modelId;
    candidates = workers;
  }

  /** A routing decision took so long, whatever it was. */
  public synchronized void decided(long nanos) {
    routeNanos += nanos;
  }

  /** A worker gets the request. */
  public synchronized void attempt(String worker) {
    long now = sinceArrival();
    if (waitNanos.isEmpty()) {
      waitNanos = OptionalLong.of(now);
    }
    if (parts.size() < MAX_ATTEMPTS) {
      parts.add(new Part(worker, now));
    }
  }

  /** The stream began; the worker says how long it took. */
  public synchronized void started(long queueNanos, long prefillNanos) {
    if (parts.isEmpty()) {
      return;
    }
    Part part = parts.getLast();
    part.firstNanos = OptionalLong.of(sinceArrival());
    part.queueNanos = OptionalLong.of(queueNanos);
    part.prefillNanos = OptionalLong.of(prefillNanos);
  }

  /** The first token passes. */
  public synchronized void firstToken(long nanos) {
    ttftNanos = OptionalLong.of(nanos);
    log.firstToken(nanos);
  }

  /** Another worker goes on with the stream; {@code nanos} without one, over all resumes. */
  public synchronized void resumed(long nanos) {
    interruptedNanos = nanos;
    if (!parts.isEmpty()) {
      parts.getLast().firstNanos = OptionalLong.of(sinceArrival());
    }
  }

  /** The attempt is over. */
  public synchronized void attempted(String outcome) {
    if (!parts.isEmpty() && parts.getLast().endNanos.isEmpty()) {
      parts.getLast().endNanos = OptionalLong.of(sinceArrival());
      parts.getLast().outcome = outcome;
    }
  }

  /** The answer is complete; {@code timings} as its caller gets them. */
  public synchronized void completed(Usage usage, Timings timings) {
    promptTokens = usage.getPromptTokens();
    cachedTokens = usage.getCachedPromptTokens();
    outputTokens = usage.getOutputTokens();
    if (timings.getItlMeanNanos() > 0) {
      itlMeanNanos = OptionalLong.of(timings.getItlMeanNanos());
      itlMaxNanos = OptionalLong.of(timings.getItlMaxNanos());
    }
    if (!parts.isEmpty()) {
      completeLast(parts.getLast(), timings);
    }
  }

  /** A worker that did not begin the stream tells its times at the end: the rest of the sums. */
  private void completeLast(Part last, Timings timings) {
    if (last.queueNanos.isEmpty()) {
      long queue = parts.stream().mapToLong(p -> p.queueNanos.orElse(0)).sum();
      long prefill = parts.stream().mapToLong(p -> p.prefillNanos.orElse(0)).sum();
      last.queueNanos = OptionalLong.of(Math.max(0, timings.getQueueNanos() - queue));
      last.prefillNanos = OptionalLong.of(Math.max(0, timings.getPrefillNanos() - prefill));
    }
    if (last.firstNanos.isEmpty()) { // an answer in one message
      long first = last.startNanos + timings.getTtftNanos();
      last.firstNanos = OptionalLong.of(Math.min(first, sinceArrival()));
    }
  }

  /** The router itself says no. */
  public synchronized void refused(String why) {
    reason = why;
  }

  /** A choice is complete. */
  public synchronized void finished(String finishReason) {
    finishReasons.add(finishReason);
  }

  /** The request has ended; {@code status} is the gRPC code. */
  public synchronized void ended(String status) {
    if (over) {
      return;
    }
    over = true;
    if (!method.startsWith("Generate")) {
      return; // nothing is generated: nobody asks where its time went
    }
    long end = sinceArrival();
    List<RequestRecord.Attempt> attempts =
        parts.stream()
            .map(part ->
                new RequestRecord.Attempt(
                    part.worker,
                    part.outcome,
                    part.startNanos,
                    part.firstNanos,
                    part.endNanos.orElse(end),
                    part.queueNanos,
                    part.prefillNanos))
            .toList();
    log.add(number ->
        new RequestRecord(
            number,
            arrivalMillis,
            id,
            trace,
            method,
            model,
            tenant,
            status,
            reason,
            String.join(", ", finishReasons),
            promptTokens,
            cachedTokens,
            outputTokens,
            prepareNanos,
            waitNanos.orElse(end),
            queued,
            routeNanos,
            candidates,
            ttftNanos,
            itlMeanNanos,
            itlMaxNanos,
            interruptedNanos,
            end,
            attempts));
  }

  private long sinceArrival() {
    return log.nanoTime() - arrivalNanos;
  }

  private static String clip(String text) {
    return text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT - 1) + "…";
  }
}
