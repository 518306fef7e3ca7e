package dev.sluice.worker.simulation;

import dev.sluice.common.config.BuildInfo;
import dev.sluice.common.prompt.PromptEncoder;
import dev.sluice.common.server.EventLoops;
import dev.sluice.common.server.GrpcServer;
import dev.sluice.common.server.ServerConfig;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.v1.Capabilities;
import dev.sluice.v1.Limits;
import dev.sluice.v1.MemoryPlan;
import dev.sluice.v1.Model;
import dev.sluice.v1.WorkerIdentity;
import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.engine.NanoClock;
import dev.sluice.worker.runner.SimulatedModelRunner;
import dev.sluice.worker.service.WorkerMetrics;
import dev.sluice.worker.service.WorkerProfile;
import dev.sluice.worker.service.WorkerServices;
import java.time.Duration;
import java.util.UUID;

/**
 * A whole worker on a port of its own, with engine, scheduler, block pool, services and {@code
 * Watch}, whose model is simulated: it computes nothing, and takes its time.
 *
 * <p>Threading: one thread starts and closes it; everything in it has its own.
 */
final class SimulatedWorker implements AutoCloseable {
  private static final Duration STEP_LIMIT = Duration.ofSeconds(30);
  private static final Duration LAST_MESSAGES = Duration.ofSeconds(1);
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final GrpcServer server;
  private final WorkerServices services;

  private SimulatedWorker(GrpcServer server, WorkerServices services) {
    this.server = server;
    this.services = services;
  }

  /**
   * Starts one that takes requests at once.
   *
   * @param port 0: any free one
   * @param loops of all workers of this process
   * @throws dev.sluice.common.error.ListenException if the port cannot be had
   */
  static SimulatedWorker start(
      String id,
      int port,
      SimulatedWorkerOptions options,
      EventLoops loops,
      TokenizerBundle bundle,
      Tokenizer tokenizer) {
    WorkerServices services = new WorkerServices(options.stopGrace(), STEP_LIMIT);
    GrpcServer server =
        GrpcServer.builder(ServerConfig.defaults(port))
            .on(loops)
            .service(services.generation())
            .service(services.worker())
            .build();
    server.start();
    WorkerMetrics metrics = new WorkerMetrics(Telemetry.noop().meter(), options.model());
    Engine engine =
        new Engine(
            new SimulatedModelRunner(options.geometry(), new RealTime(options.cost())),
            config(options),
            NanoClock.SYSTEM,
            metrics);
    engine.start();
    services.loaded(
        engine,
        bundle,
        tokenizer,
        new PromptEncoder(bundle, tokenizer),
        profile(id, options, bundle.fingerprint()),
        Telemetry.noop().tracer(),
        metrics);
    services.serve(server.health());
    return new SimulatedWorker(server, services);
  }

  int port() {
    return server.port();
  }

  /** Takes no more requests, lets those that run end within the grace. */
  @Override
  public void close() {
    services.close();
    server.stop(LAST_MESSAGES);
  }

  private static EngineConfig config(SimulatedWorkerOptions options) {
    return new EngineConfig(
            options.maxWaitingRequests(),
            Long.MAX_VALUE / 2,
            Integer.MAX_VALUE,
            RETRY_AFTER,
            false,
            1,
            ByteTokenizer.SIZE)
        .withPrefixCache(options.prefixCache());
  }

  private static WorkerProfile profile(
      String id, SimulatedWorkerOptions options, String tokenizerFingerprint) {
    Geometry geometry = options.geometry();
    long poolTokens = (long) geometry.blocks() * geometry.blockSize();
    return new WorkerProfile(
        WorkerIdentity.newBuilder()
            .setWorkerId(id)
            .setEpoch(UUID.randomUUID().toString())
            .setNumericsFingerprint("simulated")
            .setVersion(BuildInfo.version())
            .build(),
        Capabilities.newBuilder()
            .setResume(true)
            .setKvEvents(options.prefixCache())
            .setTokenIds(true)
            .setLogprobs(true)
            .setConstraints(true)
            .build(),
        Model.newBuilder()
            .setId(options.model())
            .setContextLength(geometry.maxContext())
            .setVocabularySize(geometry.vocabularySize())
            .setBlockSize(geometry.blockSize())
            .setMaxRequestTokens(Math.min(poolTokens, geometry.maxContext()))
            .setChatTemplate(true)
            .setTokenizerFingerprint(tokenizerFingerprint)
            .build(),
        Limits.newBuilder()
            .setMaxSequences(geometry.maxSequences())
            .setMaxBatchedTokens(geometry.maxBatchedTokens())
            .setMaxWaitingRequests(options.maxWaitingRequests())
            .setMaxPendingPrefillTokens(poolTokens)
            .build(),
        MemoryPlan.newBuilder()
            .setBlockSize(geometry.blockSize())
            .setBlocks(geometry.blocks())
            .build(),
        "simulated",
        "none",
        "none");
  }
}
