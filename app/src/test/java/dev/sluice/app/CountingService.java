package dev.sluice.app;

import com.google.protobuf.Any;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Status;
import dev.sluice.v1.Delta;
import dev.sluice.v1.Finished;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.ListModelsRequest;
import dev.sluice.v1.ListModelsResponse;
import dev.sluice.v1.Model;
import dev.sluice.v1.Started;
import dev.sluice.v1.Usage;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A server on loopback that answers with as many tokens as asked for. */
final class CountingService extends GenerationServiceGrpc.GenerationServiceImplBase {
  static final int TOKEN = 42;

  final List<GenerateRequest> requests = new CopyOnWriteArrayList<>();
  private final AtomicInteger inFlight = new AtomicInteger();
  private final AtomicInteger mostInFlight = new AtomicInteger();
  private final AtomicInteger refusals = new AtomicInteger();
  private final Server server;
  private volatile CountDownLatch gate = new CountDownLatch(0);

  CountingService() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(this)
            .build()
            .start();
  }

  String target() {
    return "localhost:" + server.getPort();
  }

  /** Answers nobody until so many ask. */
  void holdUntil(int count) {
    gate = new CountDownLatch(count);
  }

  /** Refuses the next requests. */
  void refuse(int count) {
    refusals.set(count);
  }

  int mostInFlight() {
    return mostInFlight.get();
  }

  @Override
  public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> out) {
    out.onNext(
        ListModelsResponse.newBuilder()
            .addModels(Model.newBuilder().setId("fake").setVocabularySize(2000))
            .build());
    out.onCompleted();
  }

  @Override
  public void generate(GenerateRequest request, StreamObserver<GenerateResponse> out) {
    requests.add(request);
    mostInFlight.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
    if (refusals.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
      inFlight.decrementAndGet();
      out.onError(
          StatusProto.toStatusRuntimeException(
              Status.newBuilder()
                  .setCode(Code.RESOURCE_EXHAUSTED_VALUE)
                  .addDetails(Any.pack(ErrorInfo.newBuilder().setReason("QUEUE_FULL").build()))
                  .build()));
      return;
    }
    gate.countDown();
    try {
      if (!gate.await(30, TimeUnit.SECONDS)) {
        out.onError(io.grpc.Status.ABORTED.asRuntimeException());
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    int tokens = request.getStopping().getMaxTokens();
    out.onNext(
        GenerateResponse.newBuilder()
            .setSequence(1)
            .setStarted(Started.getDefaultInstance())
            .build());
    for (int i = 0; i < tokens; i++) {
      out.onNext(
          GenerateResponse.newBuilder()
              .setSequence(i + 2)
              .setDelta(Delta.newBuilder().addTokenIds(TOKEN))
              .build());
    }
    inFlight.decrementAndGet();
    out.onNext(
        GenerateResponse.newBuilder()
            .setSequence(tokens + 2)
            .setFinished(
                Finished.newBuilder()
                    .setUsage(
                        Usage.newBuilder()
                            .setPromptTokens(request.getTokenIds().getIdsCount())
                            .setOutputTokens(tokens)))
            .build());
    out.onCompleted();
  }

  void stop() throws InterruptedException {
    server.shutdownNow().awaitTermination();
  }
}
