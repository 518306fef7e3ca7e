package dev.sluice.worker.triton;

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
import dev.sluice.worker.engine.NanoClock;
import dev.sluice.worker.engine.SchedulingConfig;
import dev.sluice.worker.engine.SchedulingPolicy;
import dev.sluice.worker.service.ModelForm;
import dev.sluice.worker.service.Tokenization;
import dev.sluice.worker.service.WorkerMetrics;
import dev.sluice.worker.service.WorkerProfile;
import dev.sluice.worker.service.WorkerServices;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** A worker over a real socket, before a fake Triton. */
final class TritonFixture implements AutoCloseable {
  final FakeTriton triton;
  final TritonEngine engine;
  final WorkerServices services = new WorkerServices(Duration.ofSeconds(5), Duration.ofSeconds(30));
  private final GrpcServer server;
  private final ManagedChannel channel;
  private final Optional<Tokenization> tokenization;

  /** What a test may want otherwise. */
  static final class Options {
    private Models model = Models.PLAIN;
    private TritonConfig.PromptForm prompt = TritonConfig.PromptForm.TEXT;
    private Optional<TokenizerBundle> tokenizer = Optional.empty();
    private List<String> inputs = List.of();
    private int places = 4;
    private int maxWaiting = 16;
    private Telemetry telemetry = Telemetry.noop();
    private SchedulingConfig scheduling = SchedulingConfig.defaults();
    private NanoClock clock = NanoClock.SYSTEM;

    Options model(Models newModel) {
      model = newModel;
      return this;
    }

    Options ids(TokenizerBundle bundle) {
      prompt = TritonConfig.PromptForm.TOKEN_IDS;
      tokenizer = Optional.of(bundle);
      return this;
    }

    Options inputs(String... entries) {
      inputs = List.of(entries);
      return this;
    }

    Options places(int newPlaces) {
      places = newPlaces;
      return this;
    }

    Options maxWaiting(int requests) {
      maxWaiting = requests;
      return this;
    }

    Options policy(SchedulingPolicy policy) {
      scheduling = scheduling.with(policy);
      return this;
    }

    Options clock(NanoClock newClock) {
      clock = newClock;
      return this;
    }

    Options telemetry(Telemetry newTelemetry) {
      telemetry = newTelemetry;
      return this;
    }
  }

  TritonFixture(Options options) throws IOException {
    triton = FakeTriton.serving(options.model.metadata(), options.model.config());
    tokenization =
        options.tokenizer.map(bundle -> {
          Tokenizer tokenizer = Tokenizer.load(bundle);
          return new Tokenization(bundle, tokenizer, new PromptEncoder(bundle, tokenizer));
        });
    WorkerMetrics metrics = new WorkerMetrics(options.telemetry.meter(), "llm");
    engine =
        new TritonEngine(
            new TritonConfig(
                triton.target(),
                "llm",
                "",
                options.prompt,
                options.tokenizer.map(_ -> "bytes"),
                256,
                options.inputs,
                List.of(),
                List.of(),
                Duration.ofMillis(20),
                Duration.ofSeconds(5)),
            new TritonLimits(
                options.places,
                options.maxWaiting,
                1 << 16,
                Duration.ofSeconds(1),
                options.scheduling),
            options.clock,
            metrics,
            options.telemetry.clientInterceptor(),
            services::engineAvailable);
    server =
        GrpcServer.builder(ServerConfig.defaults(0))
            .service(services.generation())
            .service(services.worker())
            .intercept(options.telemetry.serverInterceptor())
            .build();
    server.start();
    channel = NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
    services.loaded(
        engine,
        options.prompt == TritonConfig.PromptForm.TEXT ? ModelForm.TEXT : ModelForm.TOKENS,
        tokenization,
        profile(),
        options.telemetry.tracer(),
        metrics);
    services.serve(server.health());
  }

  private WorkerProfile profile() {
    Model.Builder model =
        Model.newBuilder().setId("llm").setContextLength(256).setVocabularySize(Integer.MAX_VALUE);
    tokenization.ifPresent(known ->
        model
            .setVocabularySize(known.tokenizer().vocabularySize())
            .setTokenizerFingerprint(known.bundle().fingerprint()));
    return new WorkerProfile(
        WorkerIdentity.newBuilder().setWorkerId("w1").setEpoch("e1").build(),
        Capabilities.getDefaultInstance(),
        model.build(),
        Limits.getDefaultInstance(),
        MemoryPlan.getDefaultInstance(),
        "triton",
        "none",
        "0");
  }

  /** One that has found its server. */
  static TritonFixture ready(Options options) throws IOException {
    TritonFixture fixture = new TritonFixture(options);
    fixture.engine.start();
    fixture.await(ServingStatus.SERVING);
    return fixture;
  }

  static TritonFixture ready() throws IOException {
    return ready(new Options());
  }

  /** Waits until health says this; it pushes every change. */
  void await(ServingStatus wanted) {
    Iterator<HealthCheckResponse> changes =
        HealthGrpc.newBlockingStub(channel).watch(HealthCheckRequest.getDefaultInstance());
    while (changes.next().getStatus() != wanted) {
      // the next change
    }
  }

  GenerationServiceGrpc.GenerationServiceBlockingStub generation() {
    return GenerationServiceGrpc.newBlockingStub(channel);
  }

  WorkerServiceGrpc.WorkerServiceBlockingStub worker() {
    return WorkerServiceGrpc.newBlockingStub(channel);
  }

  /** Begins a stream; its messages are read as they come. */
  Iterator<GenerateResponse> begin(GenerateRequest request) {
    return generation().generate(request);
  }

  static GenerateRequest.Builder text(String prompt) {
    return GenerateRequest.newBuilder().setText(prompt);
  }

  static List<GenerateResponse> all(Iterator<GenerateResponse> stream) {
    List<GenerateResponse> responses = new ArrayList<>();
    stream.forEachRemaining(responses::add);
    return responses;
  }

  static String textOf(List<GenerateResponse> responses) {
    StringBuilder text = new StringBuilder();
    responses.forEach(response -> text.append(response.getDelta().getText()));
    return text.toString();
  }

  @Override
  public void close() {
    channel.shutdownNow();
    services.close();
    server.stop(Duration.ofSeconds(5));
    triton.close();
    tokenization.ifPresent(known -> known.tokenizer().close());
  }
}
