package dev.sluice.worker.service;

import dev.sluice.v1.Heartbeat;
import dev.sluice.v1.Load;
import dev.sluice.v1.WatchRequest;
import dev.sluice.v1.WatchResponse;
import dev.sluice.v1.WorkerSnapshot;
import dev.sluice.v1.WorkerState;
import dev.sluice.worker.engine.CacheContent;
import dev.sluice.worker.engine.EngineSnapshot;
import dev.sluice.worker.engine.GenerationEngine;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Pushes a worker's state to its subscribers: a snapshot first, then what has changed, and a
 * heartbeat. A subscriber that does not read costs no memory: it gets what is new when it reads
 * again, and a new snapshot if too much is.
 *
 * <p>Threading: one thread, {@code watch}, owns the subscribers and sends everything; the engine's
 * snapshot is read, never waited for.
 */
final class WatchHub implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(WatchHub.class);
  private static final Duration PERIOD = Duration.ofMillis(50);
  private static final int TICKS_PER_HEARTBEAT = 20;

  /** So long before a heartbeat the engine is asked what it decodes: it answers between steps. */
  private static final int TICKS_TO_ANSWER = 4;

  /** What routers call themselves. */
  private static final String ROUTER = "router";

  private final WorkerProfile profile;
  private final GenerationEngine engine;
  private final Supplier<WorkerState> state;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("watch").daemon().factory());
  private final List<WatchStream> subscribers = new ArrayList<>();
  private boolean contentAsked;
  private boolean decodingAsked;
  private List<String> decoding = List.of(); // as the engine last answered
  private long ticks;

  WatchHub(WorkerProfile profile, GenerationEngine engine, Supplier<WorkerState> state) {
    this.profile = profile;
    this.engine = engine;
    this.state = state;
  }

  void start() {
    ScheduledFuture<?> _ =
        thread.scheduleAtFixedRate(
            this::tick, PERIOD.toMillis(), PERIOD.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Serves a subscriber until it hangs up or the hub is closed. */
  void subscribe(WatchRequest request, ServerCallStreamObserver<WatchResponse> observer) {
    boolean blocks = request.getKvEvents() && profile.capabilities().getKvEvents();
    WatchStream subscriber =
        new WatchStream(
            request.getSubscriber(),
            observer,
            blocks ? Optional.of(new CacheFeed(engine.cacheJournal())) : Optional.empty());
    observer.setOnCancelHandler(() -> onThread(() -> subscribers.remove(subscriber)));
    onThread(() -> {
      subscribers.add(subscriber);
      update(subscriber, false);
    });
  }

  /** Tells everybody at once that the worker's state changed. */
  void stateChanged() {
    onThread(() -> subscribers.forEach(s -> update(s, false)));
  }

  /** Ends all streams: the worker goes away. */
  @Override
  public void close() {
    onThread(() -> {
      for (WatchStream s : List.copyOf(subscribers)) {
        s.fail(Status.UNAVAILABLE.withDescription("the worker stops").asRuntimeException());
      }
      subscribers.clear();
    });
    thread.close();
  }

  private void tick() {
    ticks++;
    boolean heartbeat = ticks % TICKS_PER_HEARTBEAT == 0;
    if ((ticks + TICKS_TO_ANSWER) % TICKS_PER_HEARTBEAT == 0 && !subscribers.isEmpty()) {
      askForDecoding();
    }
    for (WatchStream s : List.copyOf(subscribers)) {
      update(s, heartbeat);
    }
  }

  private void update(WatchStream subscriber, boolean heartbeat) {
    guarded(
        subscriber,
        () -> {
          if (subscriber.needsContent()) {
            askForContent();
          } else if (subscriber.mustBegin()) {
            subscriber.begin(snapshot(), Optional.empty());
          }
          if (subscriber.canUpdate()) {
            subscriber.update(load(), state.get());
            if (heartbeat) {
              subscriber.send(WatchResponse.newBuilder().setHeartbeat(heartbeat()));
            }
          }
        });
  }

  /** Has the engine list the cached blocks, once for all who need them. */
  private void askForContent() {
    if (!contentAsked) {
      contentAsked = true;
      CompletableFuture<Void> _ =
          engine.cacheContent().thenAccept(content -> onThread(() -> deliver(content)));
    }
  }

  /**
   * Asks the engine what it decodes. A heartbeat does not wait for the answer: an engine that hangs
   * gives none, and what it decoded before is then what is silent.
   */
  private void askForDecoding() {
    if (!decodingAsked) {
      decodingAsked = true;
      CompletableFuture<Void> _ =
          engine
              .decodingRequestIds()
              .thenAccept(ids ->
                  onThread(() -> {
                    decodingAsked = false;
                    decoding = ids;
                  }));
    }
  }

  private void deliver(CacheContent content) {
    contentAsked = false;
    for (WatchStream s : List.copyOf(subscribers)) {
      if (s.needsContent()) {
        guarded(s, () -> s.begin(snapshot(), Optional.of(content)));
      }
    }
  }

  private void guarded(WatchStream subscriber, Runnable work) {
    try {
      work.run();
    } catch (RuntimeException e) {
      log.debug("subscriber {} is gone", subscriber.name(), e);
      subscribers.remove(subscriber);
    }
  }

  private void onThread(Runnable task) {
    try {
      thread.execute(task);
    } catch (RejectedExecutionException e) {
      log.debug("the hub is closed", e);
    }
  }

  private WorkerSnapshot.Builder snapshot() {
    return profile.snapshot().setState(state.get()).setSubscribers(routers()).setLoad(load());
  }

  private Load load() {
    EngineSnapshot e = engine.snapshot();
    return Load.newBuilder()
        .setRunningRequests(e.runningRequests())
        .setWaitingRequests(e.waitingRequests())
        .setPendingPrefillTokens(e.pendingPrefillTokens())
        .setKvBlocksTotal(e.totalBlocks())
        .setKvBlocksOwned(e.ownedBlocks())
        .setKvBlocksCached(e.cachedBlocks())
        .setStepNanos(e.stepNanos())
        .setOutputTokensTotal(e.outputTokens())
        .build();
  }

  private Heartbeat heartbeat() {
    EngineSnapshot e = engine.snapshot();
    return Heartbeat.newBuilder()
        .setSteps(e.steps())
        .setStepAgeNanos(e.stepAgeNanos())
        .addAllDecodingRequestIds(decoding)
        .setRouters(routers())
        .build();
  }

  private int routers() {
    int routers = 0;
    for (WatchStream s : subscribers) {
      if (s.name().equals(ROUTER)) {
        routers++;
      }
    }
    return routers;
  }
}
