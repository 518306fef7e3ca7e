package dev.sluice.common.security;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.sluice.common.security.TestAuthority.Issued;
import dev.sluice.common.server.GrpcServer;
import dev.sluice.common.server.ServerConfig;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.ListModelsRequest;
import dev.sluice.v1.ListModelsResponse;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** TLS over real sockets. */
@Timeout(60)
class TlsTest {
  private static final Duration LONG_AGO = Duration.ofHours(1);

  @TempDir private Path folder = Path.of("");
  private final TestAuthority authority = new TestAuthority("authority");
  private final TestAuthority other = new TestAuthority("other");
  private final FileWatch watch = new FileWatch();
  private @Nullable Security security;
  private @Nullable GrpcServer server;

  @BeforeEach
  @AfterEach
  void stop() {
    if (server != null) {
      server.stop(Duration.ofSeconds(1));
    }
    if (security != null) {
      security.close();
    }
  }

  @Test
  void encryptsAndKnowsClientsByTheirCertificates() {
    int port = start(mutual("server"));
    Issued client = authority.issue(folder, "ops");
    assertThat(call(port, client(authority, Optional.of(client)))).isEqualTo(Status.Code.OK);
    assertThat(call(port, client(authority, Optional.empty()))).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void refusesAnotherAuthoritysClient() {
    int port = start(mutual("server"));
    assertThat(call(port, client(authority, Optional.of(other.issue(folder, "ops")))))
        .isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void refusesAnExpiredClient() {
    int port = start(mutual("server"));
    Issued expired = authority.issue(folder, "ops", Instant.now().minus(LONG_AGO));
    assertThat(call(port, client(authority, Optional.of(expired))))
        .isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void clientsRefuseAnExpiredServerAndAnotherAuthoritys() {
    Issued expired = authority.issue(folder, "server", Instant.now().minus(LONG_AGO));
    int port = start(onlyServer(expired));
    assertThat(call(port, client(authority, Optional.empty()))).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(call(port, client(other, Optional.empty()))).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void plainTextAndTlsDoNotMeet() {
    int port = start(mutual("server"));
    assertThat(call(port, ClientTls.plainText())).isEqualTo(Status.Code.UNAVAILABLE);
    stop();
    int plain = start(TlsConfig.NONE);
    assertThat(call(plain, client(authority, Optional.empty()))).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(call(plain, ClientTls.plainText())).isEqualTo(Status.Code.OK);
  }

  @Test
  void newConnectionsGetTheCertificateThatReplacedTheOld() throws IOException {
    Issued first = authority.issue(folder, "server");
    FileWatch files = new FileWatch();
    OwnCertificate own =
        OwnCertificate.follow("tls", first.certificate(), first.privateKey(), files);
    Instant before = own.expiry();
    Issued next = authority.issue(folder, "server", Instant.now().plus(Duration.ofDays(40)));

    // a pair that does not fit, as when the first of two files was written, is not used
    replace(next.certificate(), first.certificate());
    files.look();
    assertThat(own.expiry()).isEqualTo(before);
    replace(next.privateKey(), first.privateKey());
    files.look();
    assertThat(own.expiry()).isAfter(before.plus(Duration.ofDays(30)));
    files.close();
  }

  @Test
  void aChangedAuthorityIsUsedForNewConnections() throws IOException {
    Path trusted = authority.file(folder);
    Issued own = authority.issue(folder, "server");
    FileWatch files = new FileWatch();
    ServerTls tls =
        ServerTls.of(
                new TlsConfig(
                    Optional.of(own.certificate()),
                    Optional.of(own.privateKey()),
                    Optional.of(trusted),
                    TlsConfig.ClientCertificates.REQUIRED),
                files)
            .orElseThrow();
    assertThat(issuers(tls)).containsExactly("CN=authority");
    replace(other.file(folder), trusted);
    files.look();
    assertThat(issuers(tls)).containsExactly("CN=other");
    Files.writeString(trusted, "nonsense");
    files.look();
    assertThat(issuers(tls)).containsExactly("CN=other");
    files.close();
  }

  @Test
  void saysWhatIsWrongWithAFile() throws IOException {
    Issued one = authority.issue(folder, "one");
    Issued two = authority.issue(folder, "two");
    Path missing = folder.resolve("missing.pem");
    assertThatExceptionOfType(SecurityFileException.class)
        .isThrownBy(() -> pair(missing, one.privateKey()))
        .withMessage("tls.certificate: " + missing + ": no such file");
    assertThatExceptionOfType(SecurityFileException.class)
        .isThrownBy(() -> pair(one.privateKey(), one.privateKey()))
        .withMessageContaining("certificate");
    assertThatExceptionOfType(SecurityFileException.class)
        .isThrownBy(() -> pair(one.certificate(), two.privateKey()))
        .withMessage(
            "tls.private-key: "
                + two.privateKey()
                + ": does not belong to the certificate of CN=one");
    Path rsa = Files.writeString(folder.resolve("rsa.key"), "-----BEGIN RSA PRIVATE KEY-----\nAA");
    assertThatExceptionOfType(SecurityFileException.class)
        .isThrownBy(() -> pair(one.certificate(), rsa))
        .withMessageContaining("holds an RSA PRIVATE KEY (expected: PEM, BEGIN PRIVATE KEY");
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            new TlsConfig(
                Optional.of(missing),
                Optional.empty(),
                Optional.empty(),
                TlsConfig.ClientCertificates.REQUIRED))
        .withMessageStartingWith("private-key: null");
  }

  private void pair(Path certificate, Path key) {
    OwnCertificate.follow("tls", certificate, key, watch);
  }

  private static List<String> issuers(ServerTls tls) {
    return java.util.Arrays.stream(tls.clients().orElseThrow().getAcceptedIssuers())
        .map(issuer -> issuer.getSubjectX500Principal().getName())
        .toList();
  }

  private static void replace(Path by, Path file) throws IOException {
    Files.move(by, file, StandardCopyOption.REPLACE_EXISTING);
  }

  private TlsConfig mutual(String name) {
    Issued own = authority.issue(folder, name);
    return new TlsConfig(
        Optional.of(own.certificate()),
        Optional.of(own.privateKey()),
        Optional.of(authority.file(folder)),
        TlsConfig.ClientCertificates.REQUIRED);
  }

  private static TlsConfig onlyServer(Issued own) {
    return new TlsConfig(
        Optional.of(own.certificate()),
        Optional.of(own.privateKey()),
        Optional.empty(),
        TlsConfig.ClientCertificates.REQUIRED);
  }

  private ClientTls client(TestAuthority trusted, Optional<Issued> shown) {
    return ClientTls.of(
        "workers-tls",
        new ClientTlsConfig(
            true,
            Optional.of(trusted.file(folder)),
            shown.map(Issued::certificate),
            shown.map(Issued::privateKey),
            Optional.empty()),
        watch);
  }

  private int start(TlsConfig tls) {
    security = Security.start(tls, AuthConfig.NONE);
    server =
        GrpcServer.builder(ServerConfig.defaults(0))
            .guarded(security)
            .service(new Models())
            .build();
    server.start();
    return requireNonNull(server).port();
  }

  private static Status.Code call(int port, ClientTls tls) {
    ManagedChannel channel = tls.apply(NettyChannelBuilder.forAddress("localhost", port)).build();
    try {
      GenerationServiceGrpc.newBlockingStub(channel)
          .withDeadlineAfter(20, TimeUnit.SECONDS)
          .listModels(ListModelsRequest.getDefaultInstance());
      return Status.Code.OK;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode();
    } finally {
      channel.shutdownNow();
    }
  }

  private static final class Models extends GenerationServiceGrpc.GenerationServiceImplBase {
    @Override
    public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> observer) {
      observer.onNext(ListModelsResponse.getDefaultInstance());
      observer.onCompleted();
    }
  }
}
