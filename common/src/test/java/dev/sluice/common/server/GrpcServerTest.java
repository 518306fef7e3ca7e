package dev.sluice.common.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.google.protobuf.ByteString;
import com.google.rpc.BadRequest;
import com.google.rpc.RequestInfo;
import dev.sluice.common.config.ByteSize;
import dev.sluice.common.error.ListenException;
import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.v1.DetokenizeRequest;
import dev.sluice.v1.DetokenizeResponse;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.ListModelsRequest;
import dev.sluice.v1.ListModelsResponse;
import dev.sluice.v1.TokenizeRequest;
import dev.sluice.v1.TokenizeResponse;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.StatusProto;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class GrpcServerTest {
  private final FakeGeneration service = new FakeGeneration();
  private final GrpcServer server =
      GrpcServer.builder(ServerConfig.defaults(0)).service(service).build();
  private ManagedChannel channel = Channels.open("localhost:1", ChannelConfig.defaults());

  @BeforeEach
  void start() {
    server.start();
    Channels.close(channel);
    channel = open(server);
  }

  @AfterEach
  void stop() {
    service.release.countDown();
    Channels.close(channel);
    server.stop(Duration.ofSeconds(5));
  }

  @Test
  void servesOnVirtualThreads() {
    assertThat(stub().tokenize(TokenizeRequest.getDefaultInstance()))
        .isEqualTo(TokenizeResponse.getDefaultInstance());
    assertThat(service.handler).isNotNull().matches(Thread::isVirtual);
  }

  @Test
  void healthIsNotServingUntilSaidAndAgainWhenItStops() throws InterruptedException {
    HealthGrpc.HealthBlockingStub health = HealthGrpc.newBlockingStub(channel);
    HealthCheckRequest all = HealthCheckRequest.getDefaultInstance();
    assertThat(health.check(all).getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
    server.health().setStatus("", ServingStatus.SERVING);
    assertThat(health.check(all).getStatus()).isEqualTo(ServingStatus.SERVING);

    var states = health.withDeadlineAfter(20, TimeUnit.SECONDS).watch(all);
    assertThat(states.next().getStatus()).isEqualTo(ServingStatus.SERVING);
    Thread stopping = Thread.startVirtualThread(() -> server.stop(Duration.ofMillis(500)));
    assertThat(states.next().getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
    stopping.join();
  }

  @Test
  void reflectionListsTheServices() throws InterruptedException {
    BlockingQueue<ServerReflectionResponse> answers = new ArrayBlockingQueue<>(4);
    StreamObserver<ServerReflectionRequest> requests =
        ServerReflectionGrpc.newStub(channel)
            .serverReflectionInfo(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ServerReflectionResponse answer) {
                    answers.add(answer);
                  }

                  @Override
                  public void onError(Throwable failure) {}

                  @Override
                  public void onCompleted() {}
                });
    requests.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    ServerReflectionResponse answer =
        Objects.requireNonNull(answers.poll(10, TimeUnit.SECONDS), "no answer");
    requests.onCompleted();
    assertThat(answer.getListServicesResponse().getServiceList())
        .extracting(ServiceResponse::getName)
        .contains("sluice.v1.GenerationService", "grpc.health.v1.Health");
  }

  @Test
  void aTakenPortIsNamed() {
    ServerConfig taken = ServerConfig.defaults(server.port());
    assertThatExceptionOfType(ListenException.class)
        .isThrownBy(() -> GrpcServer.builder(taken).build().start())
        .withMessageMatching(
            "gRPC: cannot listen on 127\\.0\\.0\\.1:"
                + server.port()
                + ": .*in use.* \\(stop the process that has it or choose another port.*");
  }

  @Test
  void anUnknownHostIsNamed() {
    ServerConfig config =
        ServerConfig.defaults("no-such-host.invalid", 0, 1, Duration.ofSeconds(1));
    assertThatExceptionOfType(ListenException.class)
        .isThrownBy(() -> GrpcServer.builder(config).build().start())
        .withMessageContaining("gRPC: cannot listen on no-such-host.invalid:0: ");
  }

  @Test
  void aThrownRefusalIsTold() {
    service.failure = RefusalException.invalid("text", "\"\" (expected: some text)");
    StatusRuntimeException e =
        failureOf(() -> stub().tokenize(TokenizeRequest.newBuilder().build()));
    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(e.getStatus().getDescription()).isEqualTo("text: \"\" (expected: some text)");
    assertThat(detail(e, BadRequest.class).getFieldViolations(0).getField()).isEqualTo("text");
  }

  @Test
  void aRefusalGivenToTheObserverIsTold() {
    service.failure = RefusalException.invalid("text", "bad");
    StatusRuntimeException e =
        failureOf(() -> stub().detokenize(DetokenizeRequest.getDefaultInstance()));
    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(detail(e, BadRequest.class).getFieldViolationsCount()).isEqualTo(1);
  }

  @Test
  void aStatusIsTakenAsItIs() {
    service.failure = Status.ABORTED.withDescription("as it is").asRuntimeException();
    StatusRuntimeException e =
        failureOf(() -> stub().tokenize(TokenizeRequest.getDefaultInstance()));
    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.ABORTED);
    assertThat(e.getStatus().getDescription()).isEqualTo("as it is");
  }

  @Test
  void anythingElseIsInternalWithTheRequestIdAndNoMore() {
    service.failure = new IllegalStateException("secret");
    Metadata headers = new Metadata();
    headers.put(Errors.REQUEST_ID, "r-17");
    var stub = stub().withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    for (Runnable call :
        List.<Runnable>of(
            () -> stub.tokenize(TokenizeRequest.getDefaultInstance()),
            () -> stub.detokenize(DetokenizeRequest.getDefaultInstance()))) {
      StatusRuntimeException e = failureOf(call);
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INTERNAL);
      assertThat(e.getStatus().getDescription()).isEqualTo("internal error, request id r-17");
      assertThat(detail(e, RequestInfo.class).getRequestId()).isEqualTo("r-17");
      assertThat(String.valueOf(e.getTrailers())).doesNotContain("secret");
    }
  }

  @Test
  void aFailureInTheMiddleOfAStreamKeepsWhatWasSent() {
    service.failure =
        new RefusalException(
            new Refusal.Overloaded("SLOW", "slow", Duration.ZERO, java.util.Map.of()));
    service.release.countDown();
    Iterator<GenerateResponse> answers = stub().generate(GenerateRequest.getDefaultInstance());
    assertThat(answers.next().getSequence()).isEqualTo(1);
    StatusRuntimeException e = failureOf(answers::next);
    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
  }

  @Test
  void settingsOutOfRangeAreNamed() {
    ServerConfig d = ServerConfig.defaults(0);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ServerConfig.defaults(70_000))
        .withMessage("port: 70000 (expected: 0 to 65535)");
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            new ChannelConfig(
                d.maxInboundMessage(), d.maxMetadata(), Duration.ZERO, Duration.ZERO, false))
        .withMessage("keep-alive-time: 0s (expected: at least 1s)");
  }

  @Test
  void aTooLargeMessageIsRefused() {
    TokenizeRequest huge =
        TokenizeRequest.newBuilder().setText("x".repeat((int) ByteSize.ofMiB(5).bytes())).build();
    StatusRuntimeException e = failureOf(() -> stub().tokenize(huge));
    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
  }

  @Test
  void stoppingLetsARunningCallFinishAndTakesNoNewOne() throws Exception {
    Iterator<GenerateResponse> answers = stub().generate(GenerateRequest.getDefaultInstance());
    assertThat(answers.next().getSequence()).isEqualTo(1);
    CompletableFuture<Void> stopped =
        CompletableFuture.runAsync(() -> server.stop(Duration.ofSeconds(20)));
    ManagedChannel late = open(server);
    try {
      // whether the listener is closed before or after this call comes: it is not served
      awaitRefusal(late);
      assertThat(stopped).isNotDone();
      service.release.countDown();
      assertThat(answers.next().getSequence()).isEqualTo(2);
      assertThat(answers.hasNext()).isFalse();
      stopped.get(10, TimeUnit.SECONDS);
    } finally {
      Channels.close(late);
    }
  }

  @Test
  void stoppingEndsACallThatHangsLongerThanTheGrace() {
    Iterator<GenerateResponse> answers = stub().generate(GenerateRequest.getDefaultInstance());
    assertThat(answers.next().getSequence()).isEqualTo(1);
    server.stop(Duration.ofMillis(50));
    assertThat(failureOf(answers::next).getStatus().getCode())
        .isIn(Status.Code.CANCELLED, Status.Code.UNAVAILABLE);
  }

  @Test
  void stoppingLetsTheServiceEndItsCallsItself() {
    Iterator<GenerateResponse> answers = stub().generate(GenerateRequest.getDefaultInstance());
    assertThat(answers.next().getSequence()).isEqualTo(1);
    server.stop(
        Duration.ofMillis(50),
        () -> {
          service.failure =
              new RefusalException(
                  new Refusal.Unavailable("STOPPING", "stopping", Duration.ofSeconds(1)));
          service.release.countDown();
        });
    StatusRuntimeException e = failureOf(answers::next);
    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(e.getStatus().getDescription()).isEqualTo("stopping");
  }

  private static void awaitRefusal(ManagedChannel channel) {
    while (true) {
      try {
        GenerationServiceGrpc.newBlockingStub(channel)
            .withDeadlineAfter(5, TimeUnit.SECONDS)
            .listModels(ListModelsRequest.getDefaultInstance());
      } catch (StatusRuntimeException e) {
        assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        return;
      }
    }
  }

  private GenerationServiceGrpc.GenerationServiceBlockingStub stub() {
    return GenerationServiceGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
  }

  private static ManagedChannel open(GrpcServer server) {
    return Channels.open("localhost:" + server.port(), ChannelConfig.defaults());
  }

  private static StatusRuntimeException failureOf(Runnable call) {
    try {
      call.run();
    } catch (StatusRuntimeException e) {
      return e;
    }
    throw new AssertionError("did not fail");
  }

  private static <T extends com.google.protobuf.Message> T detail(
      StatusRuntimeException e, Class<T> type) {
    ByteString value =
        Objects.requireNonNull(StatusProto.fromThrowable(e)).getDetails(0).getValue();
    try {
      return type.cast(
          com.google.protobuf.Internal.getDefaultInstance(type)
              .getParserForType()
              .parseFrom(value));
    } catch (com.google.protobuf.InvalidProtocolBufferException broken) {
      throw new AssertionError(broken);
    }
  }

  /** Fails as told: Tokenize throws, Detokenize answers with it, Generate does in the middle. */
  private static final class FakeGeneration
      extends GenerationServiceGrpc.GenerationServiceImplBase {
    final CountDownLatch release = new CountDownLatch(1);
    volatile @Nullable RuntimeException failure;
    volatile @Nullable Thread handler;

    @Override
    public void tokenize(TokenizeRequest request, StreamObserver<TokenizeResponse> observer) {
      handler = Thread.currentThread();
      RuntimeException told = failure;
      if (told != null) {
        throw told;
      }
      observer.onNext(TokenizeResponse.getDefaultInstance());
      observer.onCompleted();
    }

    @Override
    public void detokenize(DetokenizeRequest request, StreamObserver<DetokenizeResponse> observer) {
      observer.onError(Objects.requireNonNull(failure));
    }

    @Override
    public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> observer) {
      observer.onNext(ListModelsResponse.getDefaultInstance());
      observer.onCompleted();
    }

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerateResponse> observer) {
      observer.onNext(GenerateResponse.newBuilder().setSequence(1).build());
      try {
        release.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      RuntimeException told = failure;
      if (told != null) {
        throw told;
      }
      observer.onNext(GenerateResponse.newBuilder().setSequence(2).build());
      observer.onCompleted();
    }
  }
}
