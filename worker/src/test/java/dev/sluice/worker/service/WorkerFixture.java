package dev.sluice.worker.service;

import dev.sluice.common.prompt.PromptEncoder;
import dev.sluice.common.server.GrpcServer;
import dev.sluice.common.server.ServerConfig;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.v1.Capabilities;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.Limits;
import dev.sluice.v1.MemoryPlan;
import dev.sluice.v1.Model;
import dev.sluice.v1.WorkerIdentity;
import dev.sluice.v1.WorkerServiceGrpc;
import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.engine.ModelRunner;
import dev.sluice.worker.engine.NanoClock;
import dev.sluice.worker.runner.SimulatedModelRunner;
import dev.sluice.worker.simulation.ByteTokenizer;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A worker over a real socket, whose model is simulated. */
final class WorkerFixture implements AutoCloseable {
  static final ModelRunner.Geometry SMALL =
      new ModelRunner.Geometry(ByteTokenizer.SIZE, 512, 4, 256, 64, 8);

  final TokenizerBundle bundle;
  final Tokenizer tokenizer;
  final Engine engine;
  final WorkerServices services = new WorkerServices(Duration.ofSeconds(5), Duration.ofSeconds(30));
  final GrpcServer server;
  final ManagedChannel channel;
  private final WorkerProfile profile;
  private final Telemetry telemetry;

  WorkerFixture() {
    this(SMALL, EngineConfig.defaults(), SimulatedModelRunner.StepHook.NONE);
  }

  WorkerFixture(
      ModelRunner.Geometry geometry, EngineConfig config, SimulatedModelRunner.StepHook hook) {
    this(new SimulatedModelRunner(geometry, hook), config);
  }

  WorkerFixture(ModelRunner runner, EngineConfig config) {
    this(runner, config, Telemetry.noop());
  }

  WorkerFixture(ModelRunner runner, EngineConfig config, TokenizerBundle bundle) {
    this(runner, config, Telemetry.noop(), bundle);
  }

  WorkerFixture(ModelRunner runner, EngineConfig config, Telemetry telemetry) {
    this(runner, config, telemetry, ByteTokenizer.bundle());
  }

  private WorkerFixture(
      ModelRunner runner, EngineConfig config, Telemetry telemetry, TokenizerBundle bundle) {
    this.bundle = bundle;
    this.tokenizer = Tokenizer.load(bundle);
    this.telemetry = telemetry;
    ModelRunner.Geometry geometry = runner.geometry();
    engine =
        new Engine(
            runner, config, NanoClock.SYSTEM, new WorkerMetrics(Telemetry.noop().meter(), "sim"));
    server =
        GrpcServer.builder(ServerConfig.defaults(0))
            .service(services.generation())
            .service(services.worker())
            .intercept(telemetry.serverInterceptor())
            .build();
    server.start();
    channel = NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
    profile =
        new WorkerProfile(
            WorkerIdentity.newBuilder().setWorkerId("w1").setEpoch("e1").build(),
            Capabilities.newBuilder().setTokenIds(true).setKvEvents(true).build(),
            Model.newBuilder()
                .setId("sim")
                .addAliases("default")
                .setContextLength(geometry.maxContext())
                .setVocabularySize(geometry.vocabularySize())
                .setBlockSize(geometry.blockSize())
                .setTokenizerFingerprint(bundle.fingerprint())
                .build(),
            Limits.newBuilder().setMaxSequences(geometry.maxSequences()).build(),
            MemoryPlan.getDefaultInstance(),
            "cpu",
            "none",
            "0");
  }

  /** A worker that takes requests. */
  static WorkerFixture serving() {
    WorkerFixture fixture = new WorkerFixture();
    fixture.serve();
    return fixture;
  }

  void serve() {
    engine.start();
    services.loaded(
        engine,
        bundle,
        tokenizer,
        new PromptEncoder(bundle, tokenizer),
        profile,
        telemetry.tracer(),
        new WorkerMetrics(telemetry.meter(), "sim"));
    services.serve(server.health());
  }

  GenerationServiceGrpc.GenerationServiceBlockingStub generation() {
    return GenerationServiceGrpc.newBlockingStub(channel);
  }

  WorkerServiceGrpc.WorkerServiceBlockingStub worker() {
    return WorkerServiceGrpc.newBlockingStub(channel);
  }

  HealthGrpc.HealthBlockingStub health() {
    return HealthGrpc.newBlockingStub(channel);
  }

  List<GenerateResponse> generate(GenerateRequest request) {
    List<GenerateResponse> responses = new ArrayList<>();
    generation().generate(request).forEachRemaining(responses::add);
    return responses;
  }

  @Override
  public void close() {
    channel.shutdownNow();
    services.close();
    server.stop(Duration.ofSeconds(5));
    tokenizer.close();
  }
}
