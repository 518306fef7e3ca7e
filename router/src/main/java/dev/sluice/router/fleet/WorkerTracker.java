package dev.sluice.router.fleet;

import dev.sluice.v1.Heartbeat;
import dev.sluice.v1.WatchRequest;
import dev.sluice.v1.WatchResponse;
import dev.sluice.v1.WorkerServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows one worker: keeps a Watch stream open, applies what it says, and decides the worker's
 * state.
 *
 * <pre>
 *   joining ──snapshot, READY──▶ ready ──DRAINING──▶ draining          gone: after close()
 *      ▲                           │ stream broken or silent │
 *      └──────(new stream)──── suspect ◀─────────────────────┘ or engine stands still
 * </pre>
 *
 * <p>Threading: the fleet loop; only the Watch listener is called by gRPC, and hands over at once.
 */
final class WorkerTracker {
  private static final Logger log = LoggerFactory.getLogger(WorkerTracker.class);
  private static final Duration OVERSLEPT = Duration.ofSeconds(1);
  private static final WatchRequest REQUEST =
      WatchRequest.newBuilder().setSubscriber("router").setKvEvents(true).build();

  private final WorkerLink link;
  private final ManagedChannel channel;
  private final FleetOptions options;
  private final FleetLoop loop;
  private final Backoff backoff;
  private final Runnable onChange;

  private WorkerStatus status = WorkerStatus.JOINING;
  private String reason = "not reached yet";
  private Optional<WorkerReport> report = Optional.empty();
  private Foreign foreign = Foreign.NONE;
  private long incarnation;
  private boolean cordoned;
  private Optional<String> leaving = Optional.empty(); // why, if it is
  private Optional<Stream> stream = Optional.empty();
  private Subscription timer = () -> {};

  WorkerTracker(
      WorkerLink link,
      ManagedChannel channel,
      FleetOptions options,
      FleetLoop loop,
      Backoff backoff,
      Runnable onChange) {
    this.link = link;
    this.channel = channel;
    this.options = options;
    this.loop = loop;
    this.backoff = backoff;
    this.onChange = onChange;
  }

  WorkerView view() {
    Optional<String> held =
        status != WorkerStatus.READY
            ? Optional.empty()
            : leaving.or(() ->
                cordoned ? Optional.of("drained by an operator of this router") : Optional.empty());
    return new WorkerView(
        link.address(),
        held.isPresent() ? WorkerStatus.DRAINING : status,
        held.orElse(reason),
        report,
        incarnation,
        foreign,
        link);
  }

  /** Opens the Watch stream. */
  void open() {
    timer.close();
    // Our own back-off decides when to try; the channel's would answer with its last failure.
    channel.resetConnectBackoff();
    Stream opened =
        new Stream(channel.newCall(WorkerServiceGrpc.getWatchMethod(), CallOptions.DEFAULT));
    stream = Optional.of(opened);
    opened.start();
    expectSignsOfLife(opened);
  }

  /** Sends it nothing more, whatever it says itself. */
  void cordon(boolean on) {
    cordoned = on;
    onChange.run();
  }

  /** Sends it nothing more: it is no longer part of the fleet, unless it comes back. */
  void leave(String why) {
    if (leaving.isEmpty()) {
      log.info("worker {} leaves: {}", link.address(), why);
      leaving = Optional.of(why);
      onChange.run();
    }
  }

  /** It is part of the fleet, again if it was leaving. */
  void stay() {
    if (leaving.isPresent()) {
      log.info("worker {} is back", link.address());
      leaving = Optional.empty();
      onChange.run();
    }
  }

  boolean isLeaving() {
    return leaving.isPresent();
  }

  /** Whether it has no request of this router. */
  boolean isIdle() {
    return link.inFlight() == 0;
  }

  /** Lets go of it; what still runs there is cancelled. */
  void close(String why) {
    timer.close();
    stream.ifPresent(Stream::cancel);
    stream = Optional.empty();
    link.blocks().close();
    become(WorkerStatus.GONE, why);
    channel.shutdownNow();
  }

  private void onMessage(Stream source, WatchResponse message) {
    if (!isCurrent(source)) {
      return;
    }
    source.lastHeardNanos = loop.nanoTime();
    switch (source.mirror.apply(message)) {
      case NONE -> source.call.request(1);
      case HEARTBEAT -> {
        beat(source, message.getHeartbeat());
        source.call.request(1);
      }
      case CHANGED -> {
        adopt(source, source.mirror.report().orElseThrow());
        source.call.request(1);
      }
      case BROKEN -> {
        boolean wasGood = source.mirror.report().isPresent();
        lose(source, "watch: " + source.mirror.fault());
        // A gap in a good stream is healed at once; one that never was good must not spin.
        retryAfter(wasGood ? Duration.ZERO : backoff.next());
      }
    }
  }

  private void onClose(Stream source, Status cause) {
    if (isCurrent(source)) {
      String why = cause.getDescription();
      lose(source, "watch ended: " + cause.getCode() + (why == null ? "" : ", " + why));
      retryAfter(backoff.next());
    }
  }

  /** Judges whether the engine moves, and whether what it decodes arrives. */
  private void beat(Stream source, Heartbeat heartbeat) {
    long now = loop.nanoTime();
    long limitNanos = options.stallTimeout().toNanos();
    long stillNanos = source.pulse.beat(heartbeat, now);
    boolean stalled = stillNanos >= limitNanos;
    if (stalled) {
      source.stalled =
          Optional.of(
              "stalled: step " + heartbeat.getSteps() + " for " + stillNanos / 1_000_000 + " ms");
      link.evict("the worker " + source.stalled.get());
    } else if (link.beat(Set.copyOf(heartbeat.getDecodingRequestIdsList()), now, limitNanos) > 0) {
      // Its engine runs, but its streams do not: a new greeting shows whether they do again.
      lose(source, "says that it decodes what does not arrive");
      retryAfter(backoff.next());
      return;
    } else if (source.stalled.isPresent()) {
      source.stalled = Optional.empty();
    } else if (report
        .map(WorkerReport::routers)
        .equals(source.mirror.report().map(WorkerReport::routers))) {
      return;
    }
    source.mirror.report().ifPresent(latest -> adopt(source, latest));
  }

  private void adopt(Stream source, WorkerReport latest) {
    if (report.isPresent()
        && !report.get().identity().getEpoch().equals(latest.identity().getEpoch())) {
      log.info("worker {} at {} was restarted", latest.identity().getWorkerId(), link.address());
      link.breaker().reset();
      cordoned = false; // the operator drained a process that is no more
    }
    report = Optional.of(latest);
    foreign = Foreign.of(latest.load(), link.charged(), latest.model().getBlockSize());
    backoff.reset();
    if (source.stalled.isPresent()) {
      become(WorkerStatus.SUSPECT, source.stalled.get());
      return;
    }
    switch (latest.state()) {
      case WORKER_STATE_READY -> become(WorkerStatus.READY, "");
      case WORKER_STATE_DRAINING -> become(WorkerStatus.DRAINING, "the worker drains");
      case WORKER_STATE_STARTING -> become(WorkerStatus.JOINING, "the worker starts");
      case WORKER_STATE_UNSPECIFIED, UNRECOGNIZED ->
          become(WorkerStatus.JOINING, "the worker does not tell its state");
    }
  }

  private void lose(Stream source, String why) {
    source.cancel();
    stream = Optional.empty();
    // A worker that never was part of the fleet is still expected to join.
    become(report.isPresent() ? WorkerStatus.SUSPECT : WorkerStatus.JOINING, why);
  }

  private void retryAfter(Duration delay) {
    timer.close();
    timer = loop.schedule(delay, this::open);
  }

  private void expectSignsOfLife(Stream watched) {
    Duration left = options.silenceTimeout().minusNanos(loop.nanoTime() - watched.lastHeardNanos);
    long due = loop.nanoTime() + left.toNanos();
    timer =
        loop.schedule(
            left,
            () -> {
              if (!isCurrent(watched)) {
                return;
              }
              long now = loop.nanoTime();
              if (now - due > OVERSLEPT.toNanos()) {
                // This process stood still: what the worker said meanwhile has yet to be read.
                watched.lastHeardNanos = now;
              }
              if (now - watched.lastHeardNanos < options.silenceTimeout().toNanos()) {
                expectSignsOfLife(watched);
              } else {
                String why = "silent for " + options.silenceTimeout().toMillis() + " ms";
                lose(watched, why);
                link.evict("the worker was " + why);
                retryAfter(backoff.next());
              }
            });
  }

  private void become(WorkerStatus next, String why) {
    if (next != status || (next != WorkerStatus.READY && !why.equals(reason))) {
      log.info("worker {} is {}{}", link.address(), next, why.isEmpty() ? "" : " (" + why + ")");
    }
    if (next == WorkerStatus.READY && status != WorkerStatus.READY) {
      incarnation++;
    }
    status = next;
    reason = why;
    onChange.run();
  }

  private boolean isCurrent(Stream source) {
    return stream.isPresent() && stream.get() == source;
  }

  /** One Watch call. One message is asked for at a time, after the one before was applied. */
  private final class Stream extends ClientCall.Listener<WatchResponse> {
    private final ClientCall<WatchRequest, WatchResponse> call;
    private final WatchMirror mirror = new WatchMirror(link.blocks());
    private final Pulse pulse = new Pulse(loop.nanoTime());
    private Optional<String> stalled = Optional.empty(); // why, while it is
    private long lastHeardNanos = loop.nanoTime();

    Stream(ClientCall<WatchRequest, WatchResponse> call) {
      this.call = call;
    }

    void start() {
      call.start(this, new Metadata());
      call.request(1);
      call.sendMessage(REQUEST);
      call.halfClose();
    }

    void cancel() {
      call.cancel("watch is opened anew or the router stops", null);
    }

    @Override
    public void onMessage(WatchResponse message) {
      loop.execute(() -> WorkerTracker.this.onMessage(this, message));
    }

    @Override
    public void onClose(Status cause, Metadata trailers) {
      loop.execute(() -> WorkerTracker.this.onClose(this, cause));
    }
  }
}
