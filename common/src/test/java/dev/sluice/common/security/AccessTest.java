package dev.sluice.common.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.common.error.RefusalException;
import dev.sluice.common.server.GrpcServer;
import dev.sluice.common.server.ServerConfig;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.common.telemetry.TelemetryConfig;
import dev.sluice.v1.DrainRequest;
import dev.sluice.v1.DrainResponse;
import dev.sluice.v1.GenerateOnceRequest;
import dev.sluice.v1.GenerateOnceResponse;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.Resume;
import dev.sluice.v1.RouterHop;
import dev.sluice.v1.WorkerServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who may call what, over a real socket. */
@Timeout(60)
class AccessTest {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final GenerateRequest HELLO =
      GenerateRequest.newBuilder().setText("hello").build();

  private final Seen seen = new Seen();
  private final String gold;
  private final String silver;
  private final String ops;
  private final String router;
  private final Security security;
  private final GrpcServer server;
  private ManagedChannel channel =
      NettyChannelBuilder.forAddress("localhost", 1).usePlaintext().build();

  AccessTest(@TempDir Path folder) {
    Path file = folder.resolve("keys");
    gold = key(file, "gold", Permission.GENERATE);
    silver = key(file, "silver", Permission.GENERATE);
    ops = key(file, "ops", Permission.OPERATE);
    router = key(file, "*", Permission.ROUTER);
    security =
        Security.start(
            TlsConfig.NONE,
            new AuthConfig(Optional.of(file), AuthConfig.Jwt.NONE, List.of(), true));
    server =
        GrpcServer.builder(ServerConfig.defaults(0))
            .guarded(security)
            .service(seen)
            .service(new Drains())
            .build();
  }

  private static String key(Path file, String tenant, Permission permission) {
    ApiKey.Created created = ApiKey.create(tenant, EnumSet.of(permission), new SecureRandom());
    KeyFile.append(file, created.entry());
    return created.secret();
  }

  @BeforeEach
  void start() {
    server.start();
    channel.shutdownNow();
    channel = NettyChannelBuilder.forAddress("localhost", server.port()).usePlaintext().build();
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    server.stop(Duration.ofSeconds(1));
    security.close();
  }

  @Test
  void theTenantIsTheKeys() throws InterruptedException {
    assertThat(generate(gold, HELLO)).isEqualTo(Status.Code.OK);
    GenerateRequest request = seen.next();
    assertThat(request.getTenant()).isEqualTo("gold");
    assertThat(generate(gold, HELLO.toBuilder().setTenant("gold").build()))
        .isEqualTo(Status.Code.OK);
    assertThat(seen.next()).isEqualTo(request);
  }

  @Test
  void anotherTenantIsDenied() {
    GenerateRequest asSilver = HELLO.toBuilder().setTenant("silver").build();
    StatusRuntimeException refused = refusal(() -> once(gold, asSilver));
    assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(refused.getStatus().getDescription())
        .startsWith("tenant: \"silver\" (expected: none, or \"gold\", the tenant of key-")
        .doesNotContain(gold);
    assertThat(generate(gold, asSilver)).isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(seen.requests).isEmpty();
  }

  @Test
  void aStreamIsResumedByItsOwnTenantOnly() throws InterruptedException {
    GenerateRequest resumed =
        HELLO.toBuilder()
            .setRequestId("golds")
            .setTenant("gold")
            .setHop(RouterHop.newBuilder().setResume(Resume.newBuilder().setNextSequence(5)))
            .build();
    assertThat(generate(silver, resumed)).isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(generate(gold, resumed)).isEqualTo(Status.Code.OK);
    assertThat(seen.next().getHop()).isEqualTo(resumed.getHop());
  }

  @Test
  void whatRoutersTellIsForRouters() throws InterruptedException {
    GenerateRequest internal =
        HELLO.toBuilder()
            .setTenant("gold")
            .setHop(RouterHop.newBuilder().setAttempt(2).addPromptTokenIds(7))
            .build();
    assertThat(generate(gold, internal)).isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(generate(router, internal)).isEqualTo(Status.Code.OK);
    assertThat(seen.next()).isEqualTo(internal); // as it is
  }

  @Test
  void everyRefusalIsCounted() throws IOException {
    try (Telemetry telemetry = Telemetry.start("test", TelemetryConfig.defaults(0))) {
      security.observe(telemetry.meter());
      GenerateRequest asSilver = HELLO.toBuilder().setTenant("silver").build();
      assertThat(generate("", HELLO)).isEqualTo(Status.Code.UNAUTHENTICATED);
      assertThat(generate(gold, asSilver)).isEqualTo(Status.Code.PERMISSION_DENIED);
      // as edges do whose requests are translated after they were let in
      Identity caller =
          security
              .access()
              .orElseThrow()
              .admit(
                  Optional.of("Bearer " + gold),
                  Optional.empty(),
                  "a call",
                  EnumSet.of(Permission.GENERATE));
      assertThatExceptionOfType(RefusalException.class)
          .isThrownBy(() -> security.rules(Optional.of(caller)).apply(asSilver));

      ByteArrayOutputStream page = new ByteArrayOutputStream();
      assertThat(telemetry.writeMetrics("", page)).startsWith("text/plain");
      assertThat(page.toString(StandardCharsets.UTF_8).lines())
          .anyMatch(line ->
              line.matches(
                  "sluice_identity_refusals_total\\{.*reason=\"unauthenticated\".*} 1\\.0"))
          .anyMatch(line ->
              line.matches(
                  "sluice_identity_refusals_total\\{.*reason=\"permission_denied\".*} 2\\.0"));
    }
  }

  @Test
  void tenantsDoNotShareTheCache() throws InterruptedException {
    GenerateRequest salted = HELLO.toBuilder().setCacheSalt("one").build();
    assertThat(generate(gold, HELLO)).isEqualTo(Status.Code.OK);
    String plain = seen.next().getCacheSalt();
    assertThat(generate(gold, salted)).isEqualTo(Status.Code.OK);
    String own = seen.next().getCacheSalt();
    assertThat(generate(silver, salted)).isEqualTo(Status.Code.OK);
    String others = seen.next().getCacheSalt();
    assertThat(generate(silver, HELLO.toBuilder().setCacheSalt(own).build()))
        .isEqualTo(Status.Code.OK);
    assertThat(List.of(plain, own, others, seen.next().getCacheSalt()))
        .doesNotHaveDuplicates()
        .allMatch(salt -> salt.length() == 43);
  }

  @Test
  void withoutAKeyOnlyHealthAnswers() {
    assertThat(refusal(() -> once("", HELLO)).getStatus().getDescription())
        .startsWith("no credentials (expected: authorization: Bearer KEY");
    assertThat(generate("", HELLO)).isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(generate("sk-sluice-wrong", HELLO)).isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(drain("")).isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(reflection("")).isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(
            code(() ->
                HealthGrpc.newBlockingStub(channel).check(HealthCheckRequest.getDefaultInstance())))
        .isEqualTo(Status.Code.OK);
    assertThat(seen.requests).isEmpty();
  }

  @Test
  void operatorsCallsNeedAnOperator() {
    assertThat(drain(gold)).isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(drain(ops)).isEqualTo(Status.Code.OK);
    assertThat(drain(router)).isEqualTo(Status.Code.OK);
    assertThat(reflection(gold)).isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(reflection(ops)).isEqualTo(Status.Code.OK);
    assertThat(generate(ops, HELLO)).isEqualTo(Status.Code.PERMISSION_DENIED);
  }

  private Status.Code generate(String key, GenerateRequest request) {
    return code(() ->
        with(GenerationServiceGrpc.newBlockingStub(channel), key).generate(request).hasNext());
  }

  private GenerateOnceResponse once(String key, GenerateRequest request) {
    return with(GenerationServiceGrpc.newBlockingStub(channel), key)
        .generateOnce(GenerateOnceRequest.newBuilder().setRequest(request).build());
  }

  private Status.Code drain(String key) {
    return code(() ->
        with(WorkerServiceGrpc.newBlockingStub(channel), key)
            .drain(DrainRequest.getDefaultInstance()));
  }

  private Status.Code reflection(String key) {
    CompletableFuture<Status.Code> result = new CompletableFuture<>();
    StreamObserver<ServerReflectionRequest> requests =
        with(ServerReflectionGrpc.newStub(channel), key)
            .serverReflectionInfo(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ServerReflectionResponse answer) {
                    result.complete(Status.Code.OK);
                  }

                  @Override
                  public void onError(Throwable failure) {
                    result.complete(Status.fromThrowable(failure).getCode());
                  }

                  @Override
                  public void onCompleted() {}
                });
    requests.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    Status.Code code = result.orTimeout(20, TimeUnit.SECONDS).join();
    requests.onCompleted();
    return code;
  }

  private static <S extends AbstractStub<S>> S with(S stub, String key) {
    Metadata headers = new Metadata();
    if (!key.isEmpty()) {
      headers.put(AUTHORIZATION, "Bearer " + key);
    }
    return stub.withDeadlineAfter(20, TimeUnit.SECONDS)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  private static Status.Code code(Supplier<?> call) {
    try {
      Object _ = call.get();
      return Status.Code.OK;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode();
    }
  }

  private static StatusRuntimeException refusal(Supplier<?> call) {
    try {
      throw new AssertionError("let in: " + call.get());
    } catch (StatusRuntimeException e) {
      return e;
    }
  }

  /** Keeps what it is asked. */
  private static final class Seen extends GenerationServiceGrpc.GenerationServiceImplBase {
    final BlockingQueue<GenerateRequest> requests = new LinkedBlockingQueue<>();

    GenerateRequest next() throws InterruptedException {
      GenerateRequest request = requests.poll(10, TimeUnit.SECONDS);
      return java.util.Objects.requireNonNull(request, "no request");
    }

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerateResponse> observer) {
      requests.add(request);
      observer.onNext(GenerateResponse.getDefaultInstance());
      observer.onCompleted();
    }

    @Override
    public void generateOnce(
        GenerateOnceRequest request, StreamObserver<GenerateOnceResponse> observer) {
      requests.add(request.getRequest());
      observer.onNext(GenerateOnceResponse.getDefaultInstance());
      observer.onCompleted();
    }
  }

  private static final class Drains extends WorkerServiceGrpc.WorkerServiceImplBase {
    @Override
    public void drain(DrainRequest request, StreamObserver<DrainResponse> observer) {
      observer.onNext(DrainResponse.getDefaultInstance());
      observer.onCompleted();
    }
  }
}
