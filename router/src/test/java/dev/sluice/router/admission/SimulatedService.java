package dev.sluice.router.admission;

import dev.sluice.router.fleet.Charge;
import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.fleet.FleetOptions;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.Foreign;
import dev.sluice.router.fleet.WorkerAddress;
import dev.sluice.router.fleet.WorkerLink;
import dev.sluice.router.fleet.WorkerReport;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.index.IndexOptions;
import dev.sluice.router.index.PrefixIndex;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Links;
import dev.sluice.router.testing.ManualLoop;
import dev.sluice.v1.Capabilities;
import dev.sluice.v1.Limits;
import dev.sluice.v1.Load;
import dev.sluice.v1.WorkerIdentity;
import dev.sluice.v1.WorkerState;
import io.opentelemetry.api.metrics.MeterProvider;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;

/**
 * An {@link Admission} in front of two simulated workers: each computes one prompt at a time, 4
 * tokens per millisecond, and streams the answers of any number of requests, a token every 2 ms
 * each. Milliseconds pass when a test says so.
 *
 * <p>Threading: the test's.
 */
final class SimulatedService {
  private static final long ROOM_TOKENS = 1_024;
  private static final int PREFILL_TOKENS_PER_MILLI = 4;
  private static final int MILLIS_PER_OUTPUT_TOKEN = 2;
  private static final int LIMIT_MILLIS = 1_000_000;

  private final ManualLoop loop = new ManualLoop();
  private final List<Worker> workers = List.of(new Worker(1), new Worker(2));
  private final FleetSnapshot snapshot =
      new FleetSnapshot(1, workers.stream().map(Worker::view).toList());
  private final Map<String, Long> served = new HashMap<>();
  private final Map<String, Integer> queued = new HashMap<>();
  private final Admission admission;
  private final Random random;

  /** Weights as in the configuration. */
  SimulatedService(List<String> weights, long seed) {
    random = new Random(seed);
    // The fleet that it looks at is empty: its workers come with each call.
    Fleet fleet =
        new Fleet(
            List.of(),
            FleetOptions.DEFAULTS,
            address -> {
              throw new AssertionError("opens a channel to " + address);
            },
            loop,
            random,
            new PrefixIndex(IndexOptions.DEFAULTS));
    Duration ever = Duration.ofDays(1);
    admission =
        new Admission(
            new AdmissionOptions(1_000_000, Long.MAX_VALUE, ever, ever, Duration.ofSeconds(1)),
            new TenantOptions(weights, List.of(), List.of()),
            fleet,
            loop,
            MeterProvider.noop().get("test"));
  }

  /** A request with a prompt and an answer of about so many tokens. */
  Request submit(String tenant, int priority, int promptTokens, int outputTokens) {
    int prompt = promptTokens * (50 + random.nextInt(101)) / 100;
    int output = outputTokens * (50 + random.nextInt(101)) / 100;
    Request request = new Request(tenant, priority, prompt, output);
    queued.merge(tenant, 1, Integer::sum);
    request.begin();
    return request;
  }

  /** Tokens computed so far by tenant: prompts of which all is computed, and output. */
  Map<String, Long> served() {
    return served;
  }

  /** Requests of the tenant that wait. */
  int queued(String tenant) {
    return queued.getOrDefault(tenant, 0);
  }

  void run(int millis) {
    for (int i = 0; i < millis; i++) {
      loop.advance(Duration.ofMillis(1));
      workers.forEach(Worker::tick);
      loop.runPending();
    }
  }

  void runWhileAllWait() {
    for (int i = 0; queued.values().stream().allMatch(count -> count > 0); i++) {
      if (i == LIMIT_MILLIS) {
        throw new AssertionError("after " + LIMIT_MILLIS + " ms there still wait " + queued);
      }
      run(1);
    }
  }

  /** One request and what its call would do. */
  final class Request implements Waiter {
    private final String tenant;
    private final int prompt;
    private final int output;
    private final Place place;
    private final long arrivalNanos = loop.nanoTime();
    private long waitNanos = Long.MAX_VALUE;
    private int uncomputed;
    private int produced;
    private Optional<Charge> charge = Optional.empty();

    Request(String tenant, int priority, int prompt, int output) {
      this.tenant = tenant;
      this.prompt = prompt;
      this.output = output;
      uncomputed = prompt;
      Demand demand = new Demand(tenant, priority, 1, OptionalInt.empty(), Optional.empty(), false);
      place = admission.enter(demand, "m", prompt, Long.MAX_VALUE);
    }

    private void begin() {
      if (!place.tryPass(snapshot)) {
        place.join(snapshot, this, Duration.ofDays(1));
        return;
      }
      turn().ifPresentOrElse(Runnable::run, () -> place.join(snapshot, this, Duration.ofDays(1)));
    }

    @Override
    public Optional<Runnable> turn() {
      Worker best = workers.getFirst();
      for (Worker worker : workers) {
        if (worker.view().pendingPrefillTokens() < best.view().pendingPrefillTokens()) {
          best = worker;
        }
      }
      Worker chosen = best;
      if (!chosen.view().hasRoom(prompt)) {
        return Optional.empty();
      }
      charge = chosen.link.charge(chosen.link.charged(), prompt);
      return Optional.of(() -> {
        waitNanos = loop.nanoTime() - arrivalNanos;
        queued.merge(tenant, -1, Integer::sum);
        place.dispatched(chosen.view().pendingPrefillTokens());
        chosen.prefills.add(this);
      });
    }

    @Override
    public void left() {
      throw new AssertionError("nobody stopped it");
    }

    /** How long it waited for a worker. */
    Duration waited() {
      return Duration.ofNanos(waitNanos);
    }

    private void count(int tokens) {
      served.merge(tenant, (long) tokens, Long::sum);
    }
  }

  /** One worker. */
  private final class Worker {
    private final WorkerLink link;
    private final WorkerView view;
    private final List<Request> prefills = new ArrayList<>();
    private final List<Request> decodes = new ArrayList<>();
    private long ticks;

    Worker(int port) {
      WorkerAddress address = new WorkerAddress("w", port);
      link = Links.to(address);
      WorkerReport report =
          new WorkerReport(
              WorkerIdentity.newBuilder().setWorkerId(address.toString()).build(),
              Capabilities.getDefaultInstance(),
              FakeWorker.model("m"),
              Limits.newBuilder().setMaxPendingPrefillTokens(ROOM_TOKENS).build(),
              WorkerState.WORKER_STATE_READY,
              Load.getDefaultInstance(),
              1);
      view =
          new WorkerView(
              address, WorkerStatus.READY, "", Optional.of(report), 1, Foreign.NONE, link);
    }

    WorkerView view() {
      return view;
    }

    void tick() {
      int budget = PREFILL_TOKENS_PER_MILLI;
      while (budget > 0 && !prefills.isEmpty()) {
        Request first = prefills.getFirst();
        int computed = Math.min(budget, first.uncomputed);
        budget -= computed;
        first.uncomputed -= computed;
        if (first.uncomputed == 0) {
          prefills.removeFirst();
          decodes.add(first);
          first.count(first.prompt);
          first.place.prefilled(0);
          first.charge.orElseThrow().prefilled();
          admission.roomFreed();
        }
      }
      if (++ticks % MILLIS_PER_OUTPUT_TOKEN == 0) {
        decodes.removeIf(this::decode);
      }
    }

    private boolean decode(Request request) {
      request.produced++;
      request.count(1);
      request.place.produced(1);
      if (request.produced < request.output) {
        return false;
      }
      request.place.completed(0, request.output, MILLIS_PER_OUTPUT_TOKEN * 1_000_000L);
      request.charge.orElseThrow().release();
      admission.roomFreed();
      request.place.close();
      return true;
    }
  }
}
