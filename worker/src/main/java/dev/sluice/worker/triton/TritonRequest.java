package dev.sluice.worker.triton;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.fair.FairEntry;
import dev.sluice.worker.engine.GenerationListener;
import dev.sluice.worker.engine.GenerationSummary;
import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.engine.PrefillSummary;
import dev.sluice.worker.engine.Refusals;
import dev.sluice.worker.engine.RequestTimings;
import dev.sluice.worker.engine.TaskHandle;
import io.grpc.Deadline;
import io.opentelemetry.context.Context;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * One request on its way through the queue and Triton.
 *
 * <p>Threading: guarded by its {@link TritonEngine}.
 */
final class TritonRequest implements TaskHandle {
  final Asked asked;
  final GenerationListener listener;
  final int promptTokens; // estimated where they are not known
  final Optional<Deadline> deadline; // as Triton is told
  final Context trace; // of the caller
  final long arrivalNanos;
  final Utf8Joiner text = new Utf8Joiner();
  @Nullable FairEntry<TritonRequest> place;
  @Nullable TritonCall call;
  @Nullable Future<?> expiry;
  boolean ended;
  boolean endedByLength; // as the model says
  int outputTokens;
  private OptionalLong sentNanos = OptionalLong.empty();
  private OptionalLong firstNanos = OptionalLong.empty();
  private long lastNanos;
  private long longestGapNanos;
  private int gaps;

  TritonRequest(
      Asked asked,
      GenerationListener listener,
      int promptTokens,
      Optional<Deadline> deadline,
      Context trace,
      long arrivalNanos) {
    this.asked = asked;
    this.listener = listener;
    this.promptTokens = promptTokens;
    this.deadline = deadline;
    this.trace = trace;
    this.arrivalNanos = arrivalNanos;
  }

  @Override
  public String requestId() {
    return task().requestId();
  }

  GenerationTask task() {
    return asked.task();
  }

  FairEntry<TritonRequest> place() {
    FairEntry<TritonRequest> known = place;
    if (known == null) {
      throw new IllegalStateException(requestId() + " was not queued");
    }
    return known;
  }

  boolean isSent() {
    return sentNanos.isPresent();
  }

  boolean hasOutput() {
    return firstNanos.isPresent();
  }

  /** It goes to Triton; returns its queue time. */
  long markSent(long now) {
    sentNanos = OptionalLong.of(now);
    return now - arrivalNanos;
  }

  /** Its first output came; returns its time to first token. */
  long markFirst(long now) {
    firstNanos = OptionalLong.of(now);
    lastNanos = now;
    return now - arrivalNanos;
  }

  /** A later output came; returns the gap before it. */
  long markNext(long now) {
    long gap = now - lastNanos;
    longestGapNanos = Math.max(longestGapNanos, gap);
    gaps++;
    lastNanos = now;
    return gap;
  }

  /** How long Triton has had it. */
  long sinceSentNanos(long now) {
    return now - sentNanos.orElse(now);
  }

  /** For one whose deadline has passed. */
  Refusal expired() {
    return Refusals.expired(isSent(), outputTokens);
  }

  PrefillSummary prefill(long now) {
    long sent = sentNanos.orElse(now);
    return new PrefillSummary(promptTokens, 0, sent - arrivalNanos, now - sent, 1);
  }

  GenerationSummary summary(long now) {
    return new GenerationSummary(
        requestId(),
        promptTokens,
        0,
        outputTokens,
        0,
        isSent() ? 1 : 0,
        List.of(), // Triton does not tell
        new RequestTimings(
            arrivalNanos,
            sentNanos,
            firstNanos, // Triton does not say when the prompt was computed
            firstNanos,
            firstNanos.isPresent() ? OptionalLong.of(lastNanos) : OptionalLong.empty(),
            now,
            longestGapNanos,
            gaps));
  }
}
