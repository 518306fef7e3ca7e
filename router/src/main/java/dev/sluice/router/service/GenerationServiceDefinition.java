package dev.sluice.router.service;

import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.proxy.Proxy;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.ListModelsRequest;
import dev.sluice.v1.ListModelsResponse;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.stub.ServerCalls;
import java.util.ArrayList;
import java.util.List;

/**
 * GenerationService as the router serves it: what needs a model is passed on to a worker, what is
 * known of the fleet is answered here.
 */
public final class GenerationServiceDefinition {
  private GenerationServiceDefinition() {}

  public static ServerServiceDefinition of(Proxy proxy, Fleet fleet) {
    List<ServerMethodDefinition<?, ?>> methods = new ArrayList<>(proxy.methods());
    methods.add(listModels(fleet));
    // The methods' responses are bytes, so the generated descriptor of the service does not fit;
    // its schema does, which is what reflection shows.
    ServiceDescriptor generated = GenerationServiceGrpc.getServiceDescriptor();
    ServiceDescriptor.Builder descriptor =
        ServiceDescriptor.newBuilder(generated.getName())
            .setSchemaDescriptor(generated.getSchemaDescriptor());
    methods.forEach(m -> descriptor.addMethod(m.getMethodDescriptor()));
    ServerServiceDefinition.Builder service = ServerServiceDefinition.builder(descriptor.build());
    methods.forEach(service::addMethod);
    return service.build();
  }

  private static ServerMethodDefinition<ListModelsRequest, ListModelsResponse> listModels(
      Fleet fleet) {
    return ServerMethodDefinition.create(
        GenerationServiceGrpc.getListModelsMethod(),
        ServerCalls.asyncUnaryCall((request, observer) -> {
          observer.onNext(
              ListModelsResponse.newBuilder().addAllModels(fleet.snapshot().models()).build());
          observer.onCompleted();
        }));
  }
}
