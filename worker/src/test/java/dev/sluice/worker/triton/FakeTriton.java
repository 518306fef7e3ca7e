package dev.sluice.worker.triton;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import dev.sluice.triton.GRPCInferenceServiceGrpc;
import dev.sluice.triton.InferParameter;
import dev.sluice.triton.ModelConfig;
import dev.sluice.triton.ModelConfigRequest;
import dev.sluice.triton.ModelConfigResponse;
import dev.sluice.triton.ModelInferRequest;
import dev.sluice.triton.ModelInferResponse;
import dev.sluice.triton.ModelMetadataRequest;
import dev.sluice.triton.ModelMetadataResponse;
import dev.sluice.triton.ModelReadyRequest;
import dev.sluice.triton.ModelReadyResponse;
import dev.sluice.triton.ModelStreamInferResponse;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A Triton server whose model does what the test says, call by call. */
final class FakeTriton implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 20;
  private static final Metadata.Key<String> TRACE =
      Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER);

  final BlockingQueue<String> traces = new LinkedBlockingQueue<>();
  private final BlockingQueue<Call> calls = new LinkedBlockingQueue<>();
  private final int port;
  private Server server;
  private volatile ModelMetadataResponse metadata;
  private volatile ModelConfig config;

  /** A tensor of a response. */
  private record Output(String name, TensorType type, ByteString raw) {}

  /** A request that has come. */
  static final class Call {
    final ModelInferRequest request;
    private final StreamObserver<ModelStreamInferResponse> responses;
    private final CompletableFuture<Boolean> cancelled;

    Call(
        ModelInferRequest request,
        StreamObserver<ModelStreamInferResponse> responses,
        CompletableFuture<Boolean> cancelled) {
      this.request = request;
      this.responses = responses;
      this.cancelled = cancelled;
    }

    /** The bytes of an input, or nothing. */
    ByteString input(String name) {
      for (int i = 0; i < request.getInputsCount(); i++) {
        if (request.getInputs(i).getName().equals(name)) {
          return request.getRawInputContents(i);
        }
      }
      return ByteString.EMPTY;
    }

    /** Answers with a text, whole or not. */
    Call text(ByteString bytes) {
      return answer(textOutput(bytes));
    }

    Call text(String text) {
      return text(ByteString.copyFromUtf8(text));
    }

    /** Answers with a text and with how many tokens it is. */
    Call text(String text, int tokens) {
      return answer(
          textOutput(ByteString.copyFromUtf8(text)),
          new Output("num_output_tokens", TensorType.UINT32, TensorType.UINT32.integer(tokens)));
    }

    /** Answers with a text and with its tokens. */
    Call textAndIds(String text, int... ids) {
      return answer(textOutput(ByteString.copyFromUtf8(text)), idsOutput(ids));
    }

    Call ids(int... ids) {
      return answer(idsOutput(ids));
    }

    private static Output textOutput(ByteString bytes) {
      return new Output(
          "text_output", TensorType.BYTES, TensorType.INT32.integer(bytes.size()).concat(bytes));
    }

    private static Output idsOutput(int... ids) {
      return new Output("output_ids", TensorType.INT32, TensorType.INT32.integers(ids));
    }

    private Call answer(Output... outputs) {
      ModelInferResponse.Builder response = ModelInferResponse.newBuilder();
      for (Output output : outputs) {
        response
            .addOutputs(
                ModelInferResponse.InferOutputTensor.newBuilder()
                    .setName(output.name())
                    .setDatatype(output.type().name())
                    .addShape(1))
            .addRawOutputContents(output.raw());
      }
      responses.onNext(ModelStreamInferResponse.newBuilder().setInferResponse(response).build());
      return this;
    }

    /** The empty response with which a decoupled model ends. */
    void end() {
      responses.onNext(
          ModelStreamInferResponse.newBuilder()
              .setInferResponse(
                  ModelInferResponse.newBuilder()
                      .putParameters(
                          "triton_final_response",
                          InferParameter.newBuilder().setBoolParam(true).build()))
              .build());
      responses.onCompleted();
    }

    void fail(Status status) {
      responses.onError(status.asRuntimeException());
    }

    void awaitCancelled() throws Exception {
      assert cancelled.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }
  }

  private FakeTriton(int port, ModelMetadataResponse metadata, ModelConfig config)
      throws IOException {
    this.metadata = metadata;
    this.config = config;
    this.server = start(port);
    this.port = server.getPort();
  }

  static FakeTriton serving(ModelMetadataResponse metadata, ModelConfig config) throws IOException {
    return new FakeTriton(0, metadata, config);
  }

  private Server start(int wanted) throws IOException {
    return NettyServerBuilder.forAddress(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), wanted))
        .addService(new Service())
        .intercept(new TraceKeeper())
        .build()
        .start();
  }

  String target() {
    return "127.0.0.1:" + port;
  }

  /** As with SIGKILL: all connections break. */
  void kill() throws InterruptedException {
    Server _ = server.shutdownNow();
    assert server.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  void restart() throws IOException {
    server = start(port);
  }

  /** The model is another one from now on. */
  void become(ModelMetadataResponse newMetadata, ModelConfig newConfig) {
    metadata = newMetadata;
    config = newConfig;
  }

  /** The next request. */
  Call next() throws InterruptedException {
    return requireNonNull(
        calls.poll(PATIENCE_SECONDS, TimeUnit.SECONDS), "no request came to Triton");
  }

  /** Whether no request is there that was not taken. */
  boolean hasNone() {
    return calls.isEmpty();
  }

  @Override
  public void close() {
    Server _ = server.shutdownNow();
  }

  private final class Service extends GRPCInferenceServiceGrpc.GRPCInferenceServiceImplBase {
    @Override
    public void modelReady(ModelReadyRequest request, StreamObserver<ModelReadyResponse> observer) {
      observer.onNext(ModelReadyResponse.newBuilder().setReady(true).build());
      observer.onCompleted();
    }

    @Override
    public void modelMetadata(
        ModelMetadataRequest request, StreamObserver<ModelMetadataResponse> observer) {
      observer.onNext(metadata);
      observer.onCompleted();
    }

    @Override
    public void modelConfig(
        ModelConfigRequest request, StreamObserver<ModelConfigResponse> observer) {
      observer.onNext(ModelConfigResponse.newBuilder().setConfig(config).build());
      observer.onCompleted();
    }

    @Override
    public StreamObserver<ModelInferRequest> modelStreamInfer(
        StreamObserver<ModelStreamInferResponse> responses) {
      CompletableFuture<Boolean> cancelled = new CompletableFuture<>();
      ((ServerCallStreamObserver<ModelStreamInferResponse>) responses)
          .setOnCancelHandler(() -> cancelled.complete(true));
      return new StreamObserver<>() {
        @Override
        public void onNext(ModelInferRequest request) {
          calls.add(new Call(request, responses, cancelled));
        }

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onCompleted() {}
      };
    }
  }

  /** Notes which traces the requests belong to. */
  private final class TraceKeeper implements ServerInterceptor {
    @Override
    public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
        ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
      String trace = headers.get(TRACE);
      if (trace != null) {
        traces.add(trace);
      }
      return next.startCall(call, headers);
    }
  }
}
