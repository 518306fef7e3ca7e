package dev.sluice.router.prompt;

import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tokenizers of the models in the fleet, by fingerprint. Looks a few times per second which
 * ones there are: fetches those that are new, tries again later what failed, and lets go of those
 * that no worker has any more. Nobody waits for it: a prompt whose tokenizer is not here yet is
 * tokenized by its worker.
 *
 * <p>Threading: {@link #get} reads an immutable map, any thread. The rest is guarded by this; it is
 * called by the fleet loop and by the thread that loads a tokenizer, and held for a look at the
 * fleet.
 */
public final class Tokenizers implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Tokenizers.class);
  private static final Duration PERIOD = Duration.ofMillis(250);
  private static final Duration RETRY_AFTER = Duration.ofSeconds(5);
  private static final int MOST = 16; // of a few megabytes each, and their native copies

  private final Fleet fleet;
  private final LongSupplier nanoClock;
  private final Set<String> loading = new HashSet<>();
  private final Map<String, Long> retryNanos = new HashMap<>();
  private boolean closed;
  private volatile Map<String, Lent> ready = Map.of();

  public Tokenizers(Fleet fleet, LongSupplier nanoClock) {
    this.fleet = fleet;
    this.nanoClock = nanoClock;
  }

  /** Begins to look after the fleet. */
  public void start() {
    var _ = fleet.schedule(Duration.ZERO, this::look);
  }

  /** The tokenizer with this fingerprint, if it is here. */
  Optional<Lent> get(String fingerprint) {
    return Optional.ofNullable(ready.get(fingerprint));
  }

  private synchronized void look() {
    if (closed) {
      return;
    }
    Map<String, WorkerView> there = new HashMap<>();
    for (WorkerView worker : fleet.snapshot().workers()) {
      String fingerprint = worker.report().map(r -> r.model().getTokenizerFingerprint()).orElse("");
      if (!fingerprint.isEmpty() && worker.status() != WorkerStatus.GONE) {
        there.merge(fingerprint, worker, Tokenizers::better);
      }
    }
    for (String fingerprint : Set.copyOf(ready.keySet())) {
      if (!there.containsKey(fingerprint)) {
        log.info("tokenizer {} is no longer in use", fingerprint);
        publish(fingerprint, Optional.empty());
      }
    }
    retryNanos.keySet().retainAll(there.keySet());
    there.forEach((fingerprint, worker) -> {
      long due = retryNanos.getOrDefault(fingerprint, nanoClock.getAsLong());
      if (worker.status() == WorkerStatus.READY
          && !ready.containsKey(fingerprint)
          && due - nanoClock.getAsLong() <= 0
          && ready.size() + loading.size() < MOST
          && loading.add(fingerprint)) {
        fetch(fingerprint, worker);
      }
    });
    var _ = fleet.schedule(PERIOD, this::look);
  }

  private static WorkerView better(WorkerView one, WorkerView other) {
    return one.status() == WorkerStatus.READY ? one : other;
  }

  private void fetch(String fingerprint, WorkerView worker) {
    CompletableFuture<Void> _ =
        TokenizerFetch.from(worker.link().channel())
            .handleAsync(
                (bundle, failure) -> {
                  load(fingerprint, worker, bundle, failure);
                  return null;
                },
                // Half a second of work that would hold up the channel's event loop.
                task -> Thread.ofPlatform().name("tokenizer").daemon().start(task));
  }

  private void load(
      String fingerprint,
      WorkerView worker,
      @Nullable TokenizerBundle bundle,
      @Nullable Throwable failure) {
    try {
      if (bundle == null) {
        throw new IllegalStateException(failure);
      }
      Lent lent = Lent.load(bundle);
      if (!lent.fingerprint().equals(fingerprint)) {
        lent.close();
        throw new IllegalStateException(
            "fingerprint: " + lent.fingerprint() + " (expected: " + fingerprint + ")");
      }
      arrived(lent);
      log.info("tokenizer {} fetched from {}", fingerprint, worker.address());
    } catch (RuntimeException e) {
      log.warn(
          "tokenizer {} of {} cannot be used, its prompts are tokenized there: {}",
          fingerprint,
          worker.address(),
          e.getMessage());
      failed(fingerprint);
    }
  }

  private synchronized void arrived(Lent lent) {
    loading.remove(lent.fingerprint());
    if (closed) {
      lent.close();
    } else {
      publish(lent.fingerprint(), Optional.of(lent));
    }
  }

  private synchronized void failed(String fingerprint) {
    loading.remove(fingerprint);
    retryNanos.put(fingerprint, nanoClock.getAsLong() + RETRY_AFTER.toNanos());
  }

  /** Puts in or takes out; what was there before is closed once nobody uses it. */
  private void publish(String fingerprint, Optional<Lent> lent) {
    Map<String, Lent> next = new HashMap<>(ready);
    Lent before = next.remove(fingerprint);
    lent.ifPresent(l -> next.put(fingerprint, l));
    ready = Map.copyOf(next);
    if (before != null) {
      before.close();
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    Map<String, Lent> all = ready;
    ready = Map.of();
    all.values().forEach(Lent::close);
  }
}
