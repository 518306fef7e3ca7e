package dev.sluice.worker.triton;

import dev.sluice.common.error.Refusal;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks again and again whether the model can be used.
 *
 * <p>Threading: the thread {@code triton-probe} asks and waits for answers; {@link #state} can be
 * read by any thread.
 */
final class ModelWatch implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ModelWatch.class);

  private final TritonConfig config;
  private final TritonClient client;
  private final Consumer<Boolean> availability;
  private final Runnable asked;
  private final ScheduledThreadPoolExecutor prober =
      new ScheduledThreadPoolExecutor(
          1, Thread.ofPlatform().name("triton-probe").daemon().factory());
  private volatile TritonState state;

  /**
   * @param availability hears whether the model can be used, whenever that changes
   * @param asked is run after each answer
   */
  ModelWatch(
      TritonConfig config, TritonClient client, Consumer<Boolean> availability, Runnable asked) {
    this.config = config;
    this.client = client;
    this.availability = availability;
    this.asked = asked;
    this.state = new TritonState.Away("Triton at " + config.target() + " was not asked yet");
    prober.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  void start() {
    availability.accept(false);
    ScheduledFuture<?> _ =
        prober.scheduleWithFixedDelay(
            this::ask, 0, config.probeInterval().toNanos(), TimeUnit.NANOSECONDS);
  }

  /** As it was when it was asked last. */
  TritonState state() {
    return state;
  }

  /** Asks at once, beside the regular times. */
  void doubt() {
    try {
      prober.execute(this::ask);
    } catch (RejectedExecutionException e) {
      log.debug("the watch has ended", e);
    }
  }

  private void ask() {
    TritonState before = state;
    TritonState now;
    try {
      now = client.probe();
    } catch (RuntimeException e) {
      log.error("Triton at {} could not be asked", config.target(), e);
      now = new TritonState.Away("Triton at " + config.target() + " could not be asked: " + e);
    }
    state = now;
    if (!now.equals(before)) {
      tell(now, before instanceof TritonState.Ready);
    }
    asked.run();
  }

  private void tell(TritonState now, boolean wasReady) {
    switch (now) {
      case TritonState.Ready _ -> {
        log.info("model {} of Triton at {} can be used", config.model(), config.target());
        availability.accept(true);
      }
      case TritonState.Away away -> log.warn("{}; asking again", away.why());
      case TritonState.Unfit unfit -> log.error("{}; asking again", unfit.why());
    }
    if (wasReady && !(now instanceof TritonState.Ready)) {
      availability.accept(false);
    }
  }

  /**
   * Why nothing can be sent.
   *
   * @param retryAfter what callers are told
   */
  static Refusal refusal(TritonState state, Duration retryAfter) {
    return switch (state) {
      case TritonState.Ready _ -> throw new IllegalStateException("the model can be used");
      case TritonState.Away away -> new Refusal.Unavailable("TRITON_AWAY", away.why(), retryAfter);
      case TritonState.Unfit unfit ->
          new Refusal.Unavailable("TRITON_MODEL_MISMATCH", unfit.why(), retryAfter);
    };
  }

  @Override
  public void close() {
    prober.shutdownNow();
  }
}
