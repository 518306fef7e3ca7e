package dev.sluice.client;

import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.ListModelsRequest;
import dev.sluice.v1.ListModelsResponse;
import dev.sluice.v1.Model;
import io.grpc.Server;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A router of {@link Continued} streams that can be killed and started again on its port. */
final class FakeRouter extends GenerationServiceGrpc.GenerationServiceImplBase
    implements AutoCloseable {
  /** What becomes of one call: so many messages, then nothing more, or an error. */
  record Plan(int messages, StreamEnd end) {
    /** Nothing of the answer, but this. */
    static Plan refuse(StatusRuntimeException error) {
      return new Plan(0, out -> out.onError(error));
    }

    /** Sends so many messages, then nothing. */
    static Plan hang(int messages) {
      return new Plan(messages, _ -> {});
    }
  }

  /** Does what a plan says after its messages. */
  interface StreamEnd {
    void of(StreamObserver<GenerateResponse> out);
  }

  /**
   * For all routers of a test: the next call has the first plan, those without one are answered.
   */
  private final Queue<Plan> plans;

  private final Queue<GenerateRequest> requests;
  private Server server;
  private final int port;

  FakeRouter(Queue<Plan> plans, Queue<GenerateRequest> requests) {
    this.plans = plans;
    this.requests = requests;
    this.server = Loopback.serve(this, 0);
    this.port = server.getPort();
  }

  static Queue<Plan> plans(Plan... plans) {
    return new ConcurrentLinkedQueue<>(List.of(plans));
  }

  String target() {
    return "localhost:" + port;
  }

  /** Breaks all connections. */
  void kill() {
    Loopback.kill(server);
  }

  /** Starts again where it was killed. */
  void restart() {
    server = Loopback.serve(this, port);
  }

  @Override
  public void generate(GenerateRequest request, StreamObserver<GenerateResponse> out) {
    requests.add(request);
    Plan plan = plans.poll();
    List<GenerateResponse> rest;
    try {
      rest = Continued.rest(request);
    } catch (StatusRuntimeException e) {
      out.onError(e);
      return;
    }
    if (plan == null) {
      rest.forEach(out::onNext);
      out.onCompleted();
    } else {
      rest.subList(0, plan.messages()).forEach(out::onNext);
      plan.end().of(out);
    }
  }

  @Override
  public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> out) {
    out.onNext(ListModelsResponse.newBuilder().addModels(Model.newBuilder().setId("m")).build());
    out.onCompleted();
  }

  @Override
  public void close() {
    kill();
  }
}
