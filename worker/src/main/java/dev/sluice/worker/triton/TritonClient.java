package dev.sluice.worker.triton;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.server.ChannelConfig;
import dev.sluice.common.server.Channels;
import dev.sluice.triton.GRPCInferenceServiceGrpc;
import dev.sluice.triton.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import dev.sluice.triton.GRPCInferenceServiceGrpc.GRPCInferenceServiceStub;
import dev.sluice.triton.ModelConfigRequest;
import dev.sluice.triton.ModelInferRequest;
import dev.sluice.triton.ModelMetadataRequest;
import dev.sluice.triton.ModelReadyRequest;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.context.Scope;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A Triton server, as its client sees it.
 *
 * <p>Threading: thread-safe; {@link #probe} blocks.
 */
final class TritonClient implements AutoCloseable {
  /** Has errors end a stream with their status, in place of a message without one. */
  private static final Metadata.Key<String> GRPC_ERROR =
      Metadata.Key.of("triton_grpc_error", Metadata.ASCII_STRING_MARSHALLER);

  private final TritonConfig config;
  private final ManagedChannel channel;
  private final GRPCInferenceServiceStub streaming;

  /**
   * @param tracing sends the trace of a request along
   */
  TritonClient(TritonConfig config, ClientInterceptor tracing) {
    this.config = config;
    this.channel = Channels.open(config.target(), ChannelConfig.defaults());
    Metadata headers = new Metadata();
    headers.put(GRPC_ERROR, "true");
    // Only the requests are traced, not the probes.
    this.streaming =
        GRPCInferenceServiceGrpc.newStub(
            ClientInterceptors.intercept(
                channel, tracing, MetadataUtils.newAttachHeadersInterceptor(headers)));
  }

  /** Asks whether the model can be used. */
  TritonState probe() {
    GRPCInferenceServiceBlockingStub blocking =
        GRPCInferenceServiceGrpc.newBlockingStub(channel)
            .withDeadlineAfter(config.probeTimeout().toNanos(), TimeUnit.NANOSECONDS);
    try {
      boolean ready =
          blocking
              .modelReady(
                  ModelReadyRequest.newBuilder()
                      .setName(config.model())
                      .setVersion(config.version())
                      .build())
              .getReady();
      if (!ready) {
        return new TritonState.Away(name() + " is not ready");
      }
      return new TritonState.Ready(
          ModelBinding.of(
              config,
              blocking.modelMetadata(
                  ModelMetadataRequest.newBuilder()
                      .setName(config.model())
                      .setVersion(config.version())
                      .build()),
              blocking
                  .modelConfig(
                      ModelConfigRequest.newBuilder()
                          .setName(config.model())
                          .setVersion(config.version())
                          .build())
                  .getConfig()));
    } catch (ModelMismatchException e) {
      return new TritonState.Unfit("Triton at " + config.target() + ": " + e.getMessage());
    } catch (StatusRuntimeException e) {
      return new TritonState.Away(describe(e.getStatus()));
    }
  }

  /** What went wrong, with whom. */
  private String describe(Status status) {
    String description = status.getDescription();
    return switch (status.getCode()) {
      case UNAVAILABLE -> "Triton at " + config.target() + " cannot be reached: " + description;
      case DEADLINE_EXCEEDED ->
          "Triton at "
              + config.target()
              + " did not answer within "
              + config.probeTimeout().toMillis()
              + " ms";
      default -> name() + ": " + status.getCode() + ": " + description;
    };
  }

  /**
   * Why a request has failed, whose call ended so.
   *
   * @param retryAfter what callers are told
   */
  Refusal refusal(TritonRequest request, Status status, Duration retryAfter) {
    String message = describe(status);
    return switch (status.getCode()) {
      case UNAVAILABLE -> new Refusal.Unavailable("TRITON_AWAY", message, retryAfter);
      case CANCELLED, ABORTED -> new Refusal.Unavailable("TRITON_CANCELLED", message, retryAfter);
      case DEADLINE_EXCEEDED -> request.expired();
      case RESOURCE_EXHAUSTED ->
          new Refusal.Overloaded("TRITON_OVERLOADED", message, retryAfter, Map.of());
      case INVALID_ARGUMENT, OUT_OF_RANGE ->
          new Refusal.Invalid(List.of(new Refusal.Violation("request", message)));
      default -> new Refusal.Internal(request.requestId(), message);
    };
  }

  private String name() {
    return "model " + config.model() + " of Triton at " + config.target();
  }

  /**
   * Sends a request; the call is cancelled by itself when the deadline passes.
   *
   * @param trace of the request
   */
  void infer(
      ModelInferRequest request,
      Optional<Deadline> deadline,
      io.opentelemetry.context.Context trace,
      TritonCall responses) {
    // Not within the caller's context: that may be another request's, whose end would end this one.
    Context.ROOT.run(() -> {
      try (Scope _ = trace.makeCurrent()) {
        StreamObserver<ModelInferRequest> requests =
            deadline.map(streaming::withDeadline).orElse(streaming).modelStreamInfer(responses);
        requests.onNext(request);
        requests.onCompleted();
      }
    });
  }

  @Override
  public void close() {
    Channels.close(channel);
  }
}
