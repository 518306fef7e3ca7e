package dev.sluice.worker.service;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.common.prompt.PromptEncoder;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.Model;
import dev.sluice.v1.WorkerServiceGrpc;
import dev.sluice.v1.WorkerState;
import dev.sluice.worker.constraint.Constraints;
import dev.sluice.worker.engine.GenerationEngine;
import dev.sluice.worker.engine.NanoClock;
import io.grpc.BindableService;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.opentelemetry.api.trace.Tracer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A worker's gRPC services, from the moment the process listens: they answer UNAVAILABLE until the
 * model is loaded.
 *
 * <p>Threading: thread-safe. Owns the engine once it has it: closing drains it.
 */
public final class WorkerServices implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(WorkerServices.class);

  private final Availability availability = new Availability();
  private final AtomicReference<WorkerCore> core = new AtomicReference<>();
  private final GenerationEndpoint generation = new GenerationEndpoint(this::serving);
  private final WorkerEndpoint worker;
  private final AtomicReference<Watchdog> watchdog = new AtomicReference<>();
  private final Duration grace;
  private final Duration stepLimit;

  /**
   * @param grace time that running requests have when the worker stops or drains
   * @param stepLimit a step that takes longer makes the worker say that it does not serve
   */
  public WorkerServices(Duration grace, Duration stepLimit) {
    this.grace = grace;
    this.stepLimit = stepLimit;
    this.worker = new WorkerEndpoint(this::core, availability, grace);
  }

  public BindableService generation() {
    return generation;
  }

  public BindableService worker() {
    return worker;
  }

  /** Hands over what was loaded; nothing is served before {@link #serve}. */
  public void loaded(
      GenerationEngine engine,
      TokenizerBundle bundle,
      Tokenizer tokenizer,
      PromptEncoder prompts,
      WorkerProfile profile,
      Tracer tracer,
      WorkerMetrics metrics) {
    loaded(
        engine,
        ModelForm.TOKENS,
        Optional.of(new Tokenization(bundle, tokenizer, prompts)),
        profile,
        tracer,
        metrics);
  }

  /**
   * Hands over an engine that may tokenize by itself; constraints are for those that can obey them.
   */
  public void loaded(
      GenerationEngine engine,
      ModelForm form,
      Optional<Tokenization> tokenization,
      WorkerProfile profile,
      Tracer tracer,
      WorkerMetrics metrics) {
    Model model = profile.model();
    SecureRandom random = new SecureRandom();
    WatchHub watch = new WatchHub(profile, engine, availability::state);
    core.set(
        new WorkerCore(
            engine,
            new ServedModel(
                model.getId(), profile.identity().getWorkerId(), form, tokenization, model),
            profile,
            watch,
            new CallTelemetry(tracer, metrics, model.getId()),
            new RequestValidator(
                model.getId(),
                model.getAliasesList(),
                model.getVocabularySize(),
                model.getTokenizerFingerprint(),
                random::nextLong),
            tokenization
                .filter(_ -> engine.obeysConstraints())
                .map(known -> new Constraints(known.bundle()))));
    availability.onChange(watch::stateChanged);
    watch.start();
    Watchdog dog = new Watchdog(engine::snapshot, availability, stepLimit, NanoClock.SYSTEM);
    watchdog.set(dog);
    dog.start();
  }

  /** Takes requests from now on, and lets health say so whenever it is true. */
  public void serve(HealthStatusManager health) {
    availability.onChange(() -> report(health));
    availability.ready();
  }

  /** Whether the engine can be used: one that is somebody else's may be away for a while. */
  public void engineAvailable(boolean available) {
    availability.away(!available);
  }

  private void report(HealthStatusManager health) {
    ServingStatus status =
        availability.state() == WorkerState.WORKER_STATE_READY && !availability.isStuck()
            ? ServingStatus.SERVING
            : ServingStatus.NOT_SERVING;
    for (String service :
        new String[] {
          HealthStatusManager.SERVICE_NAME_ALL_SERVICES,
          GenerationServiceGrpc.SERVICE_NAME,
          WorkerServiceGrpc.SERVICE_NAME
        }) {
      health.setStatus(service, status);
    }
  }

  /** Tells routers, lets running requests end within the grace, fails the rest, ends the engine. */
  @Override
  public void close() {
    WorkerCore ready = core.get();
    if (ready == null) {
      return;
    }
    Watchdog dog = watchdog.get();
    if (dog != null) {
      dog.close();
    }
    availability.draining();
    boolean ended = endEngine(ready.engine());
    ready.watch().close();
    ready.constraints().ifPresent(Constraints::close);
    if (!ended) {
      // The engine hangs in native code that still uses the model: freeing it would be worse.
      log.error("the engine did not end within {} s of its grace; giving up", grace.toSeconds());
      Runtime.getRuntime().halt(1);
    }
  }

  private boolean endEngine(GenerationEngine engine) {
    try {
      return engine.close(grace);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private WorkerCore core() {
    WorkerCore ready = core.get();
    if (ready == null || !availability.isLoaded()) {
      throw new RefusalException(
          new Refusal.Unavailable(
              "STARTING", "the worker loads its model; try again", Duration.ofSeconds(1)));
    }
    return ready;
  }

  /** For those who want tokens: not while the engine makes no progress. */
  private WorkerCore serving() {
    WorkerCore ready = core();
    if (availability.isStuck()) {
      throw new RefusalException(
          new Refusal.Unavailable(
              "STUCK",
              "the engine has computed no step for longer than " + stepLimit.toMillis() + " ms",
              stepLimit));
    }
    return ready;
  }
}
