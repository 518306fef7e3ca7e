package dev.sluice.router.kserve;

import dev.sluice.common.config.BuildInfo;
import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.router.edge.TraceHeaders;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.triton.GRPCInferenceServiceGrpc;
import dev.sluice.triton.ModelConfigRequest;
import dev.sluice.triton.ModelConfigResponse;
import dev.sluice.triton.ModelInferRequest;
import dev.sluice.triton.ModelInferResponse;
import dev.sluice.triton.ModelMetadataRequest;
import dev.sluice.triton.ModelMetadataResponse;
import dev.sluice.triton.ModelReadyRequest;
import dev.sluice.triton.ModelReadyResponse;
import dev.sluice.triton.ModelStreamInferResponse;
import dev.sluice.triton.RepositoryIndexRequest;
import dev.sluice.triton.RepositoryIndexResponse;
import dev.sluice.triton.ServerLiveRequest;
import dev.sluice.triton.ServerLiveResponse;
import dev.sluice.triton.ServerMetadataRequest;
import dev.sluice.triton.ServerMetadataResponse;
import dev.sluice.triton.ServerReadyRequest;
import dev.sluice.triton.ServerReadyResponse;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.Model;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.SynchronizationContext;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code inference.GRPCInferenceService}: what a client of Triton needs to generate text. Models
 * are not loaded or unloaded through it, and tensors are not shared by memory: these rpcs are
 * UNIMPLEMENTED.
 *
 * <p>Threading: any thread; each call has its own state.
 */
public final class InferenceService extends GRPCInferenceServiceGrpc.GRPCInferenceServiceImplBase {
  private static final Logger log = LoggerFactory.getLogger(InferenceService.class);
  private static final Context.Key<Metadata> HEADERS = Context.key("inference-headers");
  private static final Metadata.Key<String> GRPC_ERROR =
      Metadata.Key.of("triton_grpc_error", Metadata.ASCII_STRING_MARSHALLER);
  private static final List<String> EXTENSIONS =
      List.of("model_configuration", "model_repository", "parameters", "request_cancellation");

  private final Channel generation;
  private final Supplier<FleetSnapshot> fleet;
  private final Supplier<UnaryOperator<GenerateRequest>> rules;
  private final String version = BuildInfo.version();

  private InferenceService(
      Channel generation,
      Supplier<FleetSnapshot> fleet,
      Supplier<UnaryOperator<GenerateRequest>> rules) {
    this.generation = generation;
    this.fleet = fleet;
    this.rules = rules;
  }

  /**
   * The service, ready to be served.
   *
   * @param generation where GenerationService is reached
   * @param rules of the call that runs: what its requests become, or RefusalException
   */
  public static ServerServiceDefinition over(
      Channel generation,
      Supplier<FleetSnapshot> fleet,
      Supplier<UnaryOperator<GenerateRequest>> rules) {
    return ServerInterceptors.intercept(
        new InferenceService(generation, fleet, rules), new HeaderKeeper());
  }

  @Override
  public void serverLive(ServerLiveRequest request, StreamObserver<ServerLiveResponse> client) {
    answer(client, ServerLiveResponse.newBuilder().setLive(true).build());
  }

  @Override
  public void serverReady(ServerReadyRequest request, StreamObserver<ServerReadyResponse> client) {
    answer(client, ServerReadyResponse.newBuilder().setReady(fleet.get().ready() > 0).build());
  }

  @Override
  public void modelReady(ModelReadyRequest request, StreamObserver<ModelReadyResponse> client) {
    boolean ready =
        isKnown(request.getVersion())
            && fleet.get().workers().stream().anyMatch(w -> w.takes(request.getName()));
    answer(client, ModelReadyResponse.newBuilder().setReady(ready).build());
  }

  @Override
  public void serverMetadata(
      ServerMetadataRequest request, StreamObserver<ServerMetadataResponse> client) {
    answer(
        client,
        ServerMetadataResponse.newBuilder()
            .setName(ModelTensors.PLATFORM)
            .setVersion(version)
            .addAllExtensions(EXTENSIONS)
            .build());
  }

  @Override
  public void modelMetadata(
      ModelMetadataRequest request, StreamObserver<ModelMetadataResponse> client) {
    Model model = find(request.getName(), request.getVersion());
    answer(client, ModelTensors.metadata(nameOf(request.getName(), model)));
  }

  @Override
  public void modelConfig(ModelConfigRequest request, StreamObserver<ModelConfigResponse> client) {
    Model model = find(request.getName(), request.getVersion());
    answer(
        client,
        ModelConfigResponse.newBuilder()
            .setConfig(ModelTensors.config(nameOf(request.getName(), model), model))
            .build());
  }

  @Override
  public void repositoryIndex(
      RepositoryIndexRequest request, StreamObserver<RepositoryIndexResponse> client) {
    RepositoryIndexResponse.Builder index = RepositoryIndexResponse.newBuilder();
    FleetSnapshot now = fleet.get();
    for (Model model : now.models()) {
      boolean ready = now.workers().stream().anyMatch(w -> w.takes(model.getId()));
      if (ready || !request.getReady()) {
        index
            .addModelsBuilder()
            .setName(model.getId())
            .setVersion(ModelTensors.VERSION)
            .setState(ready ? "READY" : "UNAVAILABLE");
      }
    }
    answer(client, index.build());
  }

  @Override
  public void modelInfer(ModelInferRequest request, StreamObserver<ModelInferResponse> client) {
    checkVersion(request.getModelName(), request.getModelVersion());
    Inference inference = InferRequests.translate(request).under(rules.get());
    SynchronizationContext serial =
        new SynchronizationContext((_, e) -> log.error("an inference", e));
    ServerCallStreamObserver<ModelInferResponse> call =
        (ServerCallStreamObserver<ModelInferResponse>) client;
    call.setOnCancelHandler(() -> {}); // an answer that comes too late is then no error
    // The end of the client's call ends this one, as both have one context.
    inference.start(
        generation,
        TraceHeaders.from(HEADERS.get()).metadata(),
        serial,
        new WholeInference(inference, client));
  }

  @Override
  public StreamObserver<ModelInferRequest> modelStreamInfer(
      StreamObserver<ModelStreamInferResponse> client) {
    Metadata headers = HEADERS.get();
    InferStream stream =
        new InferStream(
            generation,
            (ServerCallStreamObserver<ModelStreamInferResponse>) client,
            TraceHeaders.from(headers),
            rules.get(),
            Boolean.parseBoolean(headers.get(GRPC_ERROR)));
    stream.open();
    return stream;
  }

  private static <T> void answer(StreamObserver<T> client, T answer) {
    client.onNext(answer);
    client.onCompleted();
  }

  private Model find(String name, String modelVersion) {
    checkVersion(name, modelVersion);
    List<Model> models = fleet.get().models();
    return models.stream()
        .filter(m -> m.getId().equals(name) || m.getAliasesList().contains(name))
        .findFirst()
        .orElseThrow(() ->
            new RefusalException(
                new Refusal.NotFound(
                    "model",
                    name,
                    "model: \""
                        + name
                        + "\" (expected: one of "
                        + models.stream().map(Model::getId).toList()
                        + ")")));
  }

  private static String nameOf(String asked, Model model) {
    return asked.isEmpty() ? model.getId() : asked;
  }

  private static void checkVersion(String name, String modelVersion) {
    if (!isKnown(modelVersion)) {
      throw new RefusalException(
          new Refusal.NotFound(
              "model version",
              name + "/" + modelVersion,
              "model_version: \""
                  + modelVersion
                  + "\" (expected: none, or "
                  + ModelTensors.VERSION
                  + ")"));
    }
  }

  private static boolean isKnown(String modelVersion) {
    return modelVersion.isEmpty() || modelVersion.equals(ModelTensors.VERSION);
  }

  /** Keeps a call's headers where its handler finds them. */
  private static final class HeaderKeeper implements ServerInterceptor {
    @Override
    public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
        ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
      return Contexts.interceptCall(
          Context.current().withValue(HEADERS, headers), call, headers, next);
    }
  }
}
