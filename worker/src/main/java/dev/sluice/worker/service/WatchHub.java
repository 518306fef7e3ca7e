package dev.sluice.worker.service;

import dev.sluice.v1.Heartbeat;
import dev.sluice.v1.Load;
import dev.sluice.v1.WatchRequest;
import dev.sluice.v1.WatchResponse;
import dev.sluice.v1.WorkerState;
import dev.sluice.worker.engine.EngineSnapshot;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Pushes a worker's state to its subscribers: a snapshot first, then the load when it changed, and
 * a heartbeat. A subscriber that does not read loses deltas, never memory, and gets a snapshot when
 * it reads again.
 *
 * <p>Threading: one thread, {@code watch}, owns the subscribers and sends everything; the engine's
 * snapshot is read, never waited for.
 */
final class WatchHub implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(WatchHub.class);
  private static final Duration PERIOD = Duration.ofMillis(50);
  private static final int TICKS_PER_HEARTBEAT = 20;

  private final WorkerProfile profile;
  private final Supplier<EngineSnapshot> engine;
  private final Supplier<WorkerState> state;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("watch").daemon().factory());
  private final List<Subscriber> subscribers = new ArrayList<>();
  private long ticks;

  WatchHub(WorkerProfile profile, Supplier<EngineSnapshot> engine, Supplier<WorkerState> state) {
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
    Subscriber subscriber = new Subscriber(request.getSubscriber(), observer);
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
      for (Subscriber s : List.copyOf(subscribers)) {
        s.observer.onError(
            Status.UNAVAILABLE.withDescription("the worker stops").asRuntimeException());
      }
      subscribers.clear();
    });
    thread.close();
  }

  private void tick() {
    ticks++;
    boolean heartbeat = ticks % TICKS_PER_HEARTBEAT == 0;
    for (Subscriber s : List.copyOf(subscribers)) {
      update(s, heartbeat);
    }
  }

  private void update(Subscriber subscriber, boolean heartbeat) {
    try {
      subscriber.update(heartbeat);
    } catch (RuntimeException e) {
      log.debug("subscriber {} is gone", subscriber.name, e);
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

  private Load load() {
    EngineSnapshot e = engine.get();
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
    EngineSnapshot e = engine.get();
    return Heartbeat.newBuilder().setSteps(e.steps()).setStepAgeNanos(e.stepAgeNanos()).build();
  }

  /** One Watch stream. */
  private final class Subscriber {
    private final String name;
    private final ServerCallStreamObserver<WatchResponse> observer;
    private long sequence;
    private boolean current;
    private Load sentLoad = Load.getDefaultInstance();
    private WorkerState sentState = WorkerState.WORKER_STATE_UNSPECIFIED;

    Subscriber(String name, ServerCallStreamObserver<WatchResponse> observer) {
      this.name = name;
      this.observer = observer;
    }

    void update(boolean heartbeat) {
      if (!observer.isReady()) {
        current = false;
        return;
      }
      Load load = load();
      WorkerState now = state.get();
      if (!current) {
        current = true;
        send(
            WatchResponse.newBuilder()
                .setSnapshot(
                    profile
                        .snapshot()
                        .setState(now)
                        .setSubscribers(subscribers.size())
                        .setLoad(load)
                        .setLastChunk(true)));
      } else {
        if (now != sentState) {
          send(WatchResponse.newBuilder().setState(now));
        }
        if (!load.equals(sentLoad)) {
          send(WatchResponse.newBuilder().setLoad(load));
        }
      }
      if (heartbeat) {
        send(WatchResponse.newBuilder().setHeartbeat(heartbeat()));
      }
      sentLoad = load;
      sentState = now;
    }

    private void send(WatchResponse.Builder response) {
      observer.onNext(response.setSequence(++sequence).build());
    }
  }
}
