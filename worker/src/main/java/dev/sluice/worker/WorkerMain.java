package dev.sluice.worker;

import dev.sluice.common.config.BuildInfo;
import dev.sluice.common.security.Security;
import dev.sluice.common.server.AdminServer;
import dev.sluice.common.server.GrpcServer;
import dev.sluice.common.server.Lifecycle;
import dev.sluice.common.server.PortFile;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.v1.Capabilities;
import dev.sluice.v1.Limits;
import dev.sluice.v1.MemoryPlan;
import dev.sluice.v1.Model;
import dev.sluice.v1.WorkerIdentity;
import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.engine.ModelRunner;
import dev.sluice.worker.engine.NanoClock;
import dev.sluice.worker.runner.CudaModelRunner;
import dev.sluice.worker.runner.Device;
import dev.sluice.worker.runner.DeviceRunner;
import dev.sluice.worker.service.Tokenization;
import dev.sluice.worker.service.WorkerMetrics;
import dev.sluice.worker.service.WorkerProfile;
import dev.sluice.worker.service.WorkerServices;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts a worker together from its configuration; the only place that does. */
public final class WorkerMain {
  private static final Logger log = LoggerFactory.getLogger(WorkerMain.class);

  /**
   * Routers keep prompts for so many full steps here: enough that the engine never waits for them,
   * and no more, since what waits at a router can be served by whichever worker is free first.
   */
  private static final int STEPS_AHEAD = 4;

  /** What closing may take beyond the grace of running requests. */
  private static final Duration CLOSE_MARGIN = Duration.ofSeconds(15);

  /** What sending the last messages of streams may take once the engine has ended. */
  private static final Duration LAST_MESSAGES = Duration.ofSeconds(5);

  /** What a process that is told to stop waits for a model that is being loaded. */
  private static final Duration LAST_LOADING = Duration.ofSeconds(5);

  private WorkerMain() {}

  /**
   * Runs a worker until the process is told to stop.
   *
   * @throws dev.sluice.common.error.ListenException if a port cannot be had
   * @throws dev.sluice.common.security.SecurityFileException if a key or certificate cannot be used
   * @throws dev.sluice.worker.model.ModelFileException if the model cannot be used
   * @throws dev.sluice.worker.runner.DeviceException if the device cannot be had
   */
  public static void run(WorkerConfig config) throws IOException, InterruptedException {
    long start = System.nanoTime();
    if (config.engine().kind() == EngineKind.ONNX
        && config.engine().runsOn() instanceof Device.Cuda gpu) {
      CudaModelRunner.check(gpu);
    }
    Security security = Security.start(config.tls(), config.auth());
    // Beside the server's start, which takes about as long.
    CompletableFuture<Backend> loading =
        CompletableFuture.supplyAsync(() -> load(config), WorkerMain::onThread);
    try (Lifecycle lifecycle = new Lifecycle(config.server().stopGrace().plus(CLOSE_MARGIN))) {
      lifecycle.stopOnSignals();
      // A process must not end while native code is still at work in it.
      lifecycle.add("loading", () -> awaitEnd(loading));
      lifecycle.add("security", security);
      Telemetry telemetry =
          lifecycle.add("telemetry", Telemetry.start("sluice-worker", config.telemetry()));
      WorkerServices services =
          new WorkerServices(config.server().stopGrace(), config.scheduling().stepLimit());
      GrpcServer server =
          GrpcServer.builder(config.server())
              .service(services.generation())
              .service(services.worker())
              .intercept(telemetry.serverInterceptor())
              .guarded(security)
              .build();
      security.observe(telemetry.meter());
      server.start();
      lifecycle.add("gRPC server", server);
      Map<String, Integer> ports = new LinkedHashMap<>();
      ports.put("grpc", server.port());
      ports.put("metrics", telemetry.metricsPort());
      AdminServer.start(config.admin(), security)
          .map(admin -> lifecycle.add("admin", admin))
          .ifPresent(admin -> ports.put("admin", admin.port()));
      if (config.portFile().isPresent()) {
        PortFile.write(config.portFile().get(), ports);
      }
      log.info("listening on {}:{}; loading the model", config.server().host(), server.port());

      join(loading).serve(server, telemetry, services, lifecycle);
      services.serve(server.health());
      log.info("ready after {} ms", millisSince(start));
      lifecycle.awaitStop();
      log.info("stopping: running requests have {} s", config.server().stopGrace().toSeconds());
    }
  }

  /** What computes, once it is loaded. */
  private interface Backend {
    void serve(
        GrpcServer server, Telemetry telemetry, WorkerServices services, Lifecycle lifecycle);
  }

  private static Backend load(WorkerConfig config) {
    return switch (config.engine().kind()) {
      case ONNX -> {
        LoadedModel model = LoadedModel.load(config);
        yield (server, telemetry, services, lifecycle) ->
            serve(config, model, server, telemetry, services, lifecycle);
      }
      case TRITON -> {
        Optional<Tokenization> tokenization = TritonWorker.tokenization(config.triton());
        yield (server, telemetry, services, lifecycle) ->
            TritonWorker.serve(config, tokenization, server, telemetry, services, lifecycle);
      }
    };
  }

  private static void onThread(Runnable work) {
    Thread _ = Thread.ofPlatform().daemon().name("load").start(work);
  }

  private static void awaitEnd(CompletableFuture<Backend> loading) throws Exception {
    CompletableFuture<Boolean> ended = loading.handle((_, _) -> true);
    boolean _ =
        ended.completeOnTimeout(false, LAST_LOADING.toMillis(), TimeUnit.MILLISECONDS).get();
  }

  private static Backend join(CompletableFuture<Backend> loading) {
    try {
      return loading.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  private static void serve(
      WorkerConfig config,
      LoadedModel model,
      GrpcServer server,
      Telemetry telemetry,
      WorkerServices services,
      Lifecycle lifecycle) {
    // Not before: a signal closes what is registered, and steps must not run on freed memory.
    DeviceRunner runner = lifecycle.add("model", model.runner());
    lifecycle.add("tokenizer", model.tokenizer());
    WorkerProfile profile = profile(config, server.port(), model);
    WorkerMetrics metrics = new WorkerMetrics(telemetry.meter(), profile.model().getId());
    Engine engine =
        new Engine(
            runner,
            new EngineConfig(
                config.engine().maxWaitingRequests(),
                config.engine().maxWaitingTokens(),
                config.engine().maxBatchedTokens(),
                config.engine().retryAfter(),
                config.engine().checkIntegrity(),
                config.engine().threads(),
                model.tokenizer().vocabularySize(),
                config.scheduling().config(),
                config.kvCache().prefixCache(),
                config.engine().draftTokens()),
            NanoClock.SYSTEM,
            metrics);
    metrics.observe(engine::snapshot);
    metrics.observeCache(runner.geometry().blockSize(), runner.geometry().blocks());
    engine.start();
    services.loaded(
        engine,
        model.bundle(),
        model.tokenizer(),
        model.prompts(),
        profile,
        telemetry.tracer(),
        metrics);
    // Closed in reverse: the engine drains, the last messages leave, then the model goes.
    lifecycle.add("calls", () -> server.stop(LAST_MESSAGES));
    lifecycle.add("services", services);
  }

  private static long millisSince(long startNanos) {
    return (System.nanoTime() - startNanos) / 1_000_000;
  }

  private static WorkerProfile profile(WorkerConfig config, int port, LoadedModel model) {
    DeviceRunner runner = model.runner();
    ModelRunner.Geometry geometry = runner.geometry();
    long poolTokens = (long) geometry.blocks() * geometry.blockSize();
    return new WorkerProfile(
        identity(config, port, runner.numericsFingerprint()),
        Capabilities.newBuilder()
            .setResume(true)
            .setKvEvents(config.kvCache().prefixCache())
            .setTokenIds(true)
            .setLogprobs(true)
            .setConstraints(true)
            .build(),
        Model.newBuilder()
            .setId(modelId(config))
            .addAllAliases(config.model().aliases())
            .setContextLength(geometry.maxContext())
            .setVocabularySize(geometry.vocabularySize())
            .setBlockSize(geometry.blockSize())
            .setMaxRequestTokens(Math.min(poolTokens, geometry.maxContext()))
            .setChatTemplate(model.prompts().hasChatTemplate())
            .setTokenizerFingerprint(model.bundle().fingerprint())
            .build(),
        Limits.newBuilder()
            .setMaxSequences(geometry.maxSequences())
            .setMaxBatchedTokens(geometry.maxBatchedTokens())
            .setMaxWaitingRequests(config.engine().maxWaitingRequests())
            .setMaxPendingPrefillTokens(
                Math.min(
                    config.engine().maxWaitingTokens(), STEPS_AHEAD * geometry.maxBatchedTokens()))
            .build(),
        MemoryPlan.newBuilder()
            .setWeightBytes(runner.memoryPlan().weightBytes())
            .setKvBytes(runner.memoryPlan().kvBytes())
            .setKvBytesPerToken(runner.memoryPlan().kvBytesPerToken())
            .setKvType(runner.kvType())
            .setBlockSize(geometry.blockSize())
            .setBlocks(geometry.blocks())
            .build(),
        runner.device(),
        config.model().quantization().label(),
        runner.runtimeVersion());
  }

  /** Who this process is. */
  static WorkerIdentity identity(WorkerConfig config, int port, String numericsFingerprint) {
    return WorkerIdentity.newBuilder()
        .setWorkerId(config.workerId().orElse(hostName() + ":" + port))
        .setEpoch(UUID.randomUUID().toString())
        .setNumericsFingerprint(numericsFingerprint)
        .setVersion(BuildInfo.version())
        .build();
  }

  /** A model is called by its catalogue name; a file by its name without the ending. */
  private static String modelId(WorkerConfig config) {
    String name = config.model().name();
    String file = Path.of(name).getFileName().toString();
    return config
        .model()
        .id()
        .orElse(
            name.contains("/") || file.endsWith(".gguf")
                ? file.replaceFirst("\\.gguf$", "")
                : name);
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "localhost";
    }
  }
}
