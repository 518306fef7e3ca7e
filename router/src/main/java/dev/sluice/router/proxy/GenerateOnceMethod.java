package dev.sluice.router.proxy;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.sluice.common.error.RefusalException;
import dev.sluice.router.admission.Demand;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.Finished;
import dev.sluice.v1.GenerateOnceRequest;
import dev.sluice.v1.GenerateOnceResponse;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerationServiceGrpc;
import io.grpc.MethodDescriptor;
import io.opentelemetry.api.trace.Span;
import java.util.List;
import java.util.Optional;

/** {@code GenerateOnce}: the same request, answered by one message. */
final class GenerateOnceMethod implements ForwardedMethod<GenerateOnceRequest> {
  private static final MethodDescriptor<GenerateOnceRequest, byte[]> DESCRIPTOR =
      Descriptors.withByteResponses(GenerationServiceGrpc.getGenerateOnceMethod());

  @Override
  public MethodDescriptor<GenerateOnceRequest, byte[]> descriptor() {
    return DESCRIPTOR;
  }

  @Override
  public String verb() {
    return "generate";
  }

  @Override
  public String operation(GenerateOnceRequest request) {
    return GenerateRequests.operation(request.getRequest());
  }

  @Override
  public Optional<Demand> demand(GenerateOnceRequest request) {
    return Optional.of(Demands.of(request.getRequest()));
  }

  @Override
  public Prepared<GenerateOnceRequest> prepare(GenerateOnceRequest request, Preparation with) {
    if (!request.hasRequest()) {
      throw RefusalException.invalid("request", "is missing (expected: what to generate)");
    }
    if (request.getRequest().hasHop()) {
      throw RefusalException.invalid("hop", "is set (expected: absent; only a stream goes on)");
    }
    Prepared<GenerateRequest> inner = GenerateRequests.prepare(request.getRequest(), with);
    return new Prepared<>(
        GenerateOnceRequest.newBuilder().setRequest(inner.request()).build(),
        inner.requestId(),
        inner.model(),
        inner.seed(),
        false,
        inner.affinity(),
        inner.promptTokens(),
        inner.tokens(),
        Optional.empty());
  }

  @Override
  public GenerateOnceRequest attempt(Prepared<GenerateOnceRequest> prepared, Dispatch dispatch) {
    return GenerateOnceRequest.newBuilder()
        .setRequest(
            GenerateRequests.attempt(prepared.request().getRequest(), prepared.seed(), dispatch))
        .build();
  }

  @Override
  public void describe(GenerateOnceRequest request, Span span) {
    GenerateRequests.describe(request.getRequest(), span);
  }

  @Override
  public Completion complete(byte[] message, Journey journey)
      throws InvalidProtocolBufferException {
    GenerateOnceResponse response = GenerateOnceResponse.parseFrom(message);
    Finished finished = journey.complete(response.getResult().getFinished());
    GenerateOnceResponse.Builder rewritten = response.toBuilder();
    rewritten.getResultBuilder().setFinished(finished);
    List<FinishReason> reasons =
        response.getResult().getChoicesList().stream()
            .map(choice -> choice.getFinished().getReason())
            .toList();
    return new Completion(rewritten.build().toByteString(), finished, reasons);
  }
}
