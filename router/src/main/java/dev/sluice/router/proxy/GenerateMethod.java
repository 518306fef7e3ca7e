package dev.sluice.router.proxy;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.sluice.router.admission.Demand;
import dev.sluice.v1.Finished;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import io.grpc.MethodDescriptor;
import io.opentelemetry.api.trace.Span;
import java.util.List;
import java.util.Optional;

/** {@code Generate}: the stream. */
final class GenerateMethod implements ForwardedMethod<GenerateRequest> {
  private static final MethodDescriptor<GenerateRequest, byte[]> DESCRIPTOR =
      Descriptors.withByteResponses(GenerationServiceGrpc.getGenerateMethod());

  @Override
  public MethodDescriptor<GenerateRequest, byte[]> descriptor() {
    return DESCRIPTOR;
  }

  @Override
  public String verb() {
    return "generate";
  }

  @Override
  public String operation(GenerateRequest request) {
    return GenerateRequests.operation(request);
  }

  @Override
  public Optional<Demand> demand(GenerateRequest request) {
    return Optional.of(Demands.of(request));
  }

  @Override
  public Prepared<GenerateRequest> prepare(GenerateRequest request, Preparation with) {
    return GenerateRequests.prepare(request, with);
  }

  @Override
  public GenerateRequest attempt(Prepared<GenerateRequest> prepared, Dispatch dispatch) {
    return GenerateRequests.attempt(prepared.request(), prepared.seed(), dispatch);
  }

  @Override
  public void describe(GenerateRequest request, Span span) {
    GenerateRequests.describe(request, span);
  }

  @Override
  public Completion complete(byte[] message, Journey journey)
      throws InvalidProtocolBufferException {
    GenerateResponse response = GenerateResponse.parseFrom(message);
    Finished finished = journey.complete(response.getFinished());
    return new Completion(
        response.toBuilder().setFinished(finished).build().toByteString(), finished, List.of());
  }
}
