package dev.sluice.router.proxy;

import com.google.protobuf.UnsafeByteOperations;
import dev.sluice.router.admission.Demand;
import dev.sluice.router.policy.Affinity;
import dev.sluice.v1.Finished;
import io.grpc.MethodDescriptor;
import io.opentelemetry.api.trace.Span;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/** A unary rpc that any worker of the model can answer as it is: Tokenize, Detokenize. */
final class PlainMethod<R> implements ForwardedMethod<R> {
  private final MethodDescriptor<R, byte[]> descriptor;
  private final String verb;
  private final Function<R, String> model;

  PlainMethod(MethodDescriptor<R, ?> method, String verb, Function<R, String> model) {
    this.descriptor = Descriptors.withByteResponses(method);
    this.verb = verb;
    this.model = model;
  }

  @Override
  public MethodDescriptor<R, byte[]> descriptor() {
    return descriptor;
  }

  @Override
  public String verb() {
    return verb;
  }

  @Override
  public String operation(R request) {
    return "";
  }

  @Override
  public Optional<Demand> demand(R request) {
    return Optional.empty();
  }

  @Override
  public Prepared<R> prepare(R request, Preparation with) {
    return new Prepared<>(
        request,
        "",
        model.apply(request),
        OptionalLong.empty(),
        false,
        Affinity.NONE,
        0,
        Optional.empty(),
        Optional.empty());
  }

  @Override
  public R attempt(Prepared<R> prepared, Dispatch dispatch) {
    return prepared.request();
  }

  @Override
  public void describe(R request, Span span) {
    // the model, which every span has, says all there is
  }

  @Override
  public Completion complete(byte[] message, Journey journey) {
    return new Completion(
        UnsafeByteOperations.unsafeWrap(message), Finished.getDefaultInstance(), List.of());
  }
}
