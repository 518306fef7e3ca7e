package dev.sluice.router.page;

import dev.sluice.router.fleet.FleetSnapshot;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a sample every second, and tells all viewers: what is new is written once for all of them.
 *
 * <p>Threading: one thread of its own does everything and owns all state; others leave tasks there.
 */
final class Publisher implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Publisher.class);
  private static final long PERIOD_MILLIS = 1000;
  private static final int MOST_NEW = 50; // requests in one update; the others were too many to see

  private final PageJson.About about;
  private final Supplier<FleetSnapshot> fleet;
  private final Sampler sampler;
  private final RequestLog requests;
  private final int maxViewers;
  private final ScheduledExecutorService thread;
  private final Set<Viewer> viewers = new HashSet<>();
  private long told; // number of the newest request that viewers know
  private byte[] snapshot = {}; // as JSON; empty: to be written anew
  private boolean ended;

  Publisher(
      PageJson.About about,
      Supplier<FleetSnapshot> fleet,
      Sampler sampler,
      RequestLog requests,
      int maxViewers) {
    this.about = about;
    this.fleet = fleet;
    this.sampler = sampler;
    this.requests = requests;
    this.maxViewers = maxViewers;
    thread =
        Executors.newSingleThreadScheduledExecutor(
            task -> Thread.ofPlatform().daemon().name("page").unstarted(task));
  }

  void start() {
    var _ = thread.scheduleAtFixedRate(this::tick, 0, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** The next second. */
  private void tick() {
    try {
      Sample sample = sampler.next();
      snapshot = new byte[0];
      List<RequestRecord> fresh = requests.after(told);
      if (!fresh.isEmpty()) {
        told = fresh.getLast().number();
      }
      if (viewers.isEmpty()) {
        return;
      }
      byte[] update =
          event(
              PageJson.update(
                  fleet.get(),
                  sample,
                  sampler.workers(),
                  fresh.subList(Math.max(0, fresh.size() - MOST_NEW), fresh.size())));
      for (Viewer viewer : viewers) {
        switch (viewer.next()) {
          case CURRENT -> viewer.send(update);
          case NEW -> viewer.send(event(snapshot()));
          case SLOW -> {}
        }
      }
    } catch (RuntimeException e) {
      log.error("the page's next second failed", e); // the one after may do better
    }
  }

  /** Everything, as of the last second; what ended since comes with the next. */
  private byte[] snapshot() {
    if (snapshot.length == 0) {
      List<RequestRecord> known =
          requests.after(0).stream().filter(request -> request.number() <= told).toList();
      snapshot = PageJson.snapshot(about, fleet.get(), sampler.history(), sampler.workers(), known);
    }
    return snapshot;
  }

  private static byte[] event(byte[] json) {
    byte[] before = "data: ".getBytes(StandardCharsets.US_ASCII);
    byte[] event = new byte[before.length + json.length + 2];
    System.arraycopy(before, 0, event, 0, before.length);
    System.arraycopy(json, 0, event, before.length, json.length);
    event[event.length - 2] = '\n';
    event[event.length - 1] = '\n';
    return event;
  }

  /**
   * Tells a viewer everything now, and what is new from now on.
   *
   * @param refused called instead if there are too many, or the router stops
   */
  void add(Viewer viewer, Runnable refused) {
    execute(
        () -> {
          if (ended || viewers.size() == maxViewers) {
            refused.run();
          } else {
            viewers.add(viewer);
            viewer.send(event(snapshot()));
          }
        },
        refused);
  }

  /** It is not there any more. */
  void remove(Viewer viewer) {
    execute(() -> viewers.remove(viewer), () -> {});
  }

  /** Gives everything, as of the last second, as a JSON document. */
  void state(Consumer<byte[]> reader, Runnable refused) {
    execute(() -> reader.accept(snapshot()), refused);
  }

  private void execute(Runnable task, Runnable refused) {
    try {
      thread.execute(task);
    } catch (RejectedExecutionException _) {
      refused.run(); // closed
    }
  }

  /** Ends all streams, and takes no new ones. */
  void endStreams() {
    execute(
        () -> {
          ended = true;
          viewers.forEach(Viewer::end);
          viewers.clear();
        },
        () -> {});
  }

  @Override
  public void close() {
    endStreams();
    thread.shutdown();
  }
}
