package dev.sluice.router;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.sluice.common.config.ByteSize;
import dev.sluice.common.security.ApiKey;
import dev.sluice.common.security.AuthConfig;
import dev.sluice.common.security.KeyFile;
import dev.sluice.common.security.Permission;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.router.http.HttpConfig;
import dev.sluice.router.testing.Collected;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Fleets;
import dev.sluice.triton.GRPCInferenceServiceGrpc;
import dev.sluice.triton.ModelInferRequest;
import dev.sluice.triton.ModelInferRequest.InferInputTensor;
import dev.sluice.v1.FleetServiceGrpc;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.ListWorkersRequest;
import io.grpc.CallOptions;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A router that asks who calls, by all of its protocols, and that is patient for a second only. */
@Timeout(120)
class SecurityTest {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final String COMPLETION = "{\"model\":\"m\",\"prompt\":\"hello\"}";
  private static final String STREAM = "{\"model\":\"m\",\"prompt\":\"hello\",\"stream\":true}";

  private static final String RESET = "reset";

  private final HttpClient client = HttpClient.newHttpClient();
  private final FakeWorker worker = FakeWorker.start("w1");
  private final String gold;
  private final String ops;
  private final String routers;
  private final RouterFixture router;

  SecurityTest(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("keys");
    gold = key(file, "gold", Permission.GENERATE);
    ops = key(file, "ops", Permission.OPERATE);
    routers = key(file, "*", Permission.ROUTER);
    Path shown = Files.writeString(folder.resolve("shown"), routers + "\n");
    HttpConfig impatient =
        new HttpConfig(
            true,
            "127.0.0.1",
            0,
            ByteSize.ofKiB(64),
            Duration.ofMinutes(1),
            Duration.ofSeconds(1),
            Duration.ofSeconds(1),
            3,
            1);
    router =
        RouterFixture.start(
            new TestConfig(worker)
                .http(impatient)
                .auth(new AuthConfig(Optional.of(file), AuthConfig.NONE.jwt(), List.of(), true))
                .workersKey(shown)
                .build(),
            Telemetry.noop());
    Fleets.awaitReady(router.fleet(), 1);
    worker.script(worker.answer(3));
  }

  private static String key(Path file, String tenant, Permission permission) {
    ApiKey.Created created = ApiKey.create(tenant, EnumSet.of(permission), new SecureRandom());
    KeyFile.append(file, created.entry());
    return created.secret();
  }

  @AfterEach
  void close() {
    router.close();
    worker.close();
    client.close();
  }

  @Test
  void grpcCallsCarryTheirTenantToTheWorker() {
    assertThat(generate("", "").getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(generate(gold, "silver").getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(worker.requestCount()).isZero();
    assertThat(generate(gold, "").isOk()).isTrue();
    GenerateRequest seen = worker.takeRequest();
    assertThat(seen.getTenant()).isEqualTo("gold");
    assertThat(seen.getCacheSalt()).hasSize(43);
    // the worker is shown the router's key, never the client's
    assertThat(worker.takeHeaders().get(AUTHORIZATION)).isEqualTo("Bearer " + routers);
  }

  private Status generate(String key, String tenant) {
    Metadata headers = new Metadata();
    if (!key.isEmpty()) {
      headers.put(AUTHORIZATION, "Bearer " + key);
    }
    Collected<GenerateResponse> collected =
        Collected.start(
            router
                .channel()
                .newCall(GenerationServiceGrpc.getGenerateMethod(), CallOptions.DEFAULT),
            headers,
            RouterFixture.prompt("m").toBuilder().setTenant(tenant).build(),
            100);
    return collected.status();
  }

  @Test
  void onlyOperatorsSeeTheFleet() {
    assertThat(workers(ops)).isEqualTo(Status.Code.OK);
    assertThat(workers(gold)).isEqualTo(Status.Code.PERMISSION_DENIED);
  }

  private Status.Code workers(String key) {
    try {
      assertThat(
              with(FleetServiceGrpc.newBlockingStub(router.channel()), key)
                  .listWorkers(ListWorkersRequest.getDefaultInstance())
                  .getWorkersList())
          .hasSize(1);
      return Status.Code.OK;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode();
    }
  }

  private static <S extends AbstractStub<S>> S with(S stub, String key) {
    Metadata headers = new Metadata();
    headers.put(AUTHORIZATION, "Bearer " + key);
    return stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  @Test
  void tritonsProtocolTakesTheTenantFromTheKey() {
    byte[] text = "hello".getBytes(StandardCharsets.UTF_8);
    ByteBuffer raw = ByteBuffer.allocate(4 + text.length).order(ByteOrder.LITTLE_ENDIAN);
    raw.putInt(text.length).put(text).flip();
    with(GRPCInferenceServiceGrpc.newBlockingStub(router.channel()), gold)
        .modelInfer(
            ModelInferRequest.newBuilder()
                .setModelName("m")
                .addInputs(
                    InferInputTensor.newBuilder()
                        .setName("text_input")
                        .setDatatype("BYTES")
                        .addShape(1))
                .addRawInputContents(ByteString.copyFrom(raw))
                .build());
    assertThat(worker.takeRequest().getTenant()).isEqualTo("gold");
  }

  @Test
  void httpCallsCarryTheirTenantToTheWorker() throws Exception {
    HttpResponse<String> nobody = post("", COMPLETION);
    assertThat(nobody.statusCode()).isEqualTo(401);
    assertThat(nobody.body()).contains("authentication_error", "invalid_api_key");
    assertThat(nobody.headers().firstValue("WWW-Authenticate")).hasValue("Bearer realm=\"Sluice\"");
    HttpResponse<String> wrong = post("Bearer sk-sluice-wrong", COMPLETION);
    assertThat(wrong.statusCode()).isEqualTo(401);
    assertThat(wrong.body()).contains("the key is not known").doesNotContain("sk-sluice-wrong");
    assertThat(post("Bearer " + ops, COMPLETION).statusCode()).isEqualTo(403);
    assertThat(worker.requestCount()).isZero();

    assertThat(post("Bearer " + gold, COMPLETION).statusCode()).isEqualTo(200);
    GenerateRequest seen = worker.takeRequest();
    assertThat(seen.getTenant()).isEqualTo("gold");
    assertThat(seen.getCacheSalt()).hasSize(43);
  }

  @Test
  void httpHeadersCannotChangeTheTenant() throws Exception {
    HttpRequest asSilver =
        request("Bearer " + gold, COMPLETION).header("x-sluice-tenant", "silver").build();
    HttpResponse<String> denied = client.send(asSilver, BodyHandlers.ofString());
    assertThat(denied.statusCode()).isEqualTo(403);
    assertThat(denied.body()).contains("permission_error", "the tenant of key-");
    assertThat(worker.requestCount()).isZero();
  }

  @Test
  void healthIsOpenAndMetricsAreForOperators() throws Exception {
    assertThat(get("/health", "")).isEqualTo(200);
    assertThat(get("/version", "")).isEqualTo(200);
    assertThat(get("/v1/models", "")).isEqualTo(401);
    assertThat(get("/v1/models", "Bearer " + gold)).isEqualTo(200);
    assertThat(get("/metrics", "")).isEqualTo(401);
    assertThat(get("/metrics", "Bearer " + gold)).isEqualTo(403);
    assertThat(get("/metrics", "Bearer " + ops)).isEqualTo(200);
    assertThat(get("/anything/new", "Bearer " + gold)).isEqualTo(403);
    String browser =
        Base64.getEncoder().encodeToString(("me:" + ops).getBytes(StandardCharsets.UTF_8));
    assertThat(get("/metrics", "Basic " + browser)).isEqualTo(200);
    assertThat(get("/metrics", "Basic !")).isEqualTo(401);
  }

  @Test
  void slowAndGreedyConnectionsEndAndOthersGoOn() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    worker.script((request, observer) -> {
      try {
        release.await(60, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      worker.answer(3).run(request, observer);
    });
    var streaming =
        client.sendAsync(
            request("Bearer " + gold, STREAM).version(HttpClient.Version.HTTP_2).build(),
            BodyHandlers.ofString());
    worker.takeRequest();

    try (Socket silent = open();
        Socket slowBody = open()) {
      slowBody.getOutputStream().write(head("Content-Length: 100\r\n\r\n{"));
      try (Socket third = open()) {
        assertThat(third.getInputStream().read()).isEqualTo(-1); // beyond max-connections
      }
      assertThat(silent.getInputStream().read()).isEqualTo(-1);
      assertThat(ends(slowBody)).isTrue();
    }
    try (Socket slowHeaders = open()) {
      assertThat(tricklesAway(slowHeaders)).isTrue();
    }
    try (Socket bomb = open()) {
      byte[] head = head("x-bomb: " + "b".repeat(60_000) + "\r\n\r\n");
      assertThat(refusal(bomb, head)).isIn("HTTP/1.1 431", RESET);
    }
    try (Socket tooLarge = open()) {
      byte[] head = head("Content-Length: 200000\r\n\r\n");
      byte[] request = Arrays.copyOf(head, head.length + 200_000);
      assertThat(refusal(tooLarge, request)).isIn("HTTP/1.1 413", RESET);
    }

    release.countDown();
    assertThat(streaming.get(30, TimeUnit.SECONDS).body()).contains("t2 ").endsWith("[DONE]\n\n");
  }

  /**
   * Status of the answer. A server that closes before it has read everything resets the connection,
   * which may overtake its answer.
   */
  private static String refusal(Socket socket, byte[] request) throws IOException {
    try {
      socket.getOutputStream().write(request);
      byte[] status = socket.getInputStream().readNBytes(12);
      return new String(status, StandardCharsets.US_ASCII);
    } catch (SocketException _) {
      return RESET;
    }
  }

  /** A request line, a key, and what follows. */
  private byte[] head(String rest) {
    return ("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
            + gold
            + "\r\n"
            + rest)
        .getBytes(StandardCharsets.US_ASCII);
  }

  private Socket open() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), router.http("/").getPort());
    socket.setSoTimeout(20_000);
    return socket;
  }

  private static boolean ends(Socket socket) {
    try (InputStream in = socket.getInputStream()) {
      in.readAllBytes();
      return true;
    } catch (java.net.SocketTimeoutException e) {
      return false;
    } catch (IOException e) {
      return true; // reset
    }
  }

  /** Sends a header byte by byte, each after the server had time to answer. */
  private boolean tricklesAway(Socket socket) throws IOException {
    socket.setSoTimeout(100);
    OutputStream out = socket.getOutputStream();
    byte[] head = head("x-slow: ");
    out.write(head);
    for (int i = 0; i < 300; i++) {
      try {
        out.write('s');
        if (socket.getInputStream().read() < 0) {
          return true;
        }
      } catch (java.net.SocketTimeoutException _) {
        // not yet
      } catch (IOException e) {
        return true;
      }
    }
    return false;
  }

  private HttpRequest.Builder request(String authorization, String body) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(router.http("/v1/completions"))
            .version(HttpClient.Version.HTTP_1_1)
            .POST(HttpRequest.BodyPublishers.ofString(body));
    return authorization.isEmpty() ? request : request.header("Authorization", authorization);
  }

  private HttpResponse<String> post(String authorization, String body) throws Exception {
    return client.send(request(authorization, body).build(), BodyHandlers.ofString());
  }

  private int get(String path, String authorization) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(router.http(path)).version(HttpClient.Version.HTTP_1_1);
    if (!authorization.isEmpty()) {
      request.header("Authorization", authorization);
    }
    return client.send(request.build(), BodyHandlers.discarding()).statusCode();
  }
}
