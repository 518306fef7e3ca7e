package dev.sluice.common.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.common.config.ByteSize;
import dev.sluice.common.server.GrpcServer;
import dev.sluice.common.server.ServerConfig;
import dev.sluice.v1.Delta;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.TokenizeRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Each attack ends its own connection, while another client's stream goes on. */
@Timeout(60)
class FloodTest {
  private static final int MOST_CONNECTIONS = 3;

  private final Streams streams = new Streams();
  private final GrpcServer server = GrpcServer.builder(config()).service(streams).build();
  private ManagedChannel channel =
      NettyChannelBuilder.forAddress("localhost", 1).usePlaintext().build();
  private Iterator<GenerateResponse> other = java.util.Collections.emptyIterator();

  @BeforeEach
  void start() {
    server.start();
    channel.shutdownNow();
    channel = NettyChannelBuilder.forAddress("localhost", server.port()).usePlaintext().build();
    other =
        GenerationServiceGrpc.newBlockingStub(channel)
            .withDeadlineAfter(50, TimeUnit.SECONDS)
            .generate(GenerateRequest.newBuilder().setText("streams").build());
    streams.tokens.add("before");
    assertThat(other.next().getDelta().getText()).isEqualTo("before");
  }

  @AfterEach
  void theOtherStreamGoesOn() {
    streams.tokens.add("after");
    assertThat(other.next().getDelta().getText()).isEqualTo("after");
    streams.tokens.add("");
    assertThat(other.hasNext()).isFalse();
    channel.shutdownNow();
    server.stop(Duration.ofSeconds(1));
  }

  @Test
  void resets() throws IOException {
    try (RawHttp2 attacker = RawHttp2.greeted(server.port())) {
      byte[] headers = RawHttp2.callHeaders();
      byte[] cancel = ByteBuffer.allocate(4).putInt(8).array();
      untilRefused(i -> {
        attacker.frame(RawHttp2.HEADERS, RawHttp2.END_HEADERS, 2 * i + 1, headers);
        attacker.frame(RawHttp2.RST_STREAM, 0, 2 * i + 1, cancel);
      });
      assertThat(attacker.isCutOff()).isTrue();
    }
    assertThat(streams.begun.get()).isLessThan(1_000);
  }

  @Test
  void pings() throws IOException {
    try (RawHttp2 attacker = RawHttp2.greeted(server.port())) {
      untilRefused(
          i -> attacker.frame(RawHttp2.PING, 0, 0, ByteBuffer.allocate(8).putLong(i).array()));
      assertThat(attacker.isCutOff()).isTrue();
    }
  }

  @Test
  void settings() throws IOException {
    try (RawHttp2 attacker = RawHttp2.greeted(server.port())) {
      byte[] setting = ByteBuffer.allocate(6).putShort((short) 3).putInt(100).array();
      // the answers are not read: they must not gather without bound
      untilRefused(_ -> attacker.frame(RawHttp2.SETTINGS, 0, 0, setting));
    }
  }

  @Test
  void headersWithoutEnd() throws IOException {
    try (RawHttp2 attacker = RawHttp2.greeted(server.port())) {
      ByteArrayOutputStream block = new ByteArrayOutputStream();
      RawHttp2.field(block, "x-bomb", "b".repeat(8_000));
      attacker.frame(RawHttp2.HEADERS, 0, 1, RawHttp2.callHeaders());
      untilRefused(_ -> attacker.frame(RawHttp2.CONTINUATION, 0, 1, block.toByteArray()));
      assertThat(attacker.isCutOff()).isTrue();
    }
    assertThat(streams.begun.get()).isEqualTo(1);
  }

  @Test
  void emptyContinuations() throws IOException {
    try (RawHttp2 attacker = RawHttp2.greeted(server.port())) {
      attacker.frame(RawHttp2.HEADERS, 0, 1, RawHttp2.callHeaders());
      untilRefused(_ -> attacker.frame(RawHttp2.CONTINUATION, 0, 1, new byte[0]));
      assertThat(attacker.isCutOff()).isTrue();
    }
    assertThat(streams.begun.get()).isEqualTo(1);
  }

  @Test
  void silence() throws IOException {
    try (RawHttp2 attacker = new RawHttp2(server.port())) {
      assertThat(attacker.isCutOff()).isTrue();
    }
  }

  @Test
  void connections() throws IOException {
    try (RawHttp2 second = RawHttp2.greeted(server.port());
        RawHttp2 third = RawHttp2.greeted(server.port());
        RawHttp2 fourth = new RawHttp2(server.port())) {
      assertThat(fourth.isCutOff()).isTrue();
      second.frame(RawHttp2.SETTINGS, 1, 0, new byte[0]); // still taken
      third.frame(RawHttp2.SETTINGS, 1, 0, new byte[0]);
    }
  }

  @Test
  void messagesThatAreTooLarge() {
    String text = "x".repeat(2 << 20);
    assertThatExceptionOfType(StatusRuntimeException.class)
        .isThrownBy(() ->
            GenerationServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(20, TimeUnit.SECONDS)
                .tokenize(TokenizeRequest.newBuilder().setText(text).build()))
        .extracting(e -> e.getStatus().getCode())
        .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
  }

  private interface Attack {
    void go(int round) throws IOException;
  }

  /** Goes on until the server does not take it any more, or for long. */
  private static void untilRefused(Attack attack) throws IOException {
    for (int i = 0; i < 20_000; i++) {
      try {
        attack.go(i);
      } catch (SocketException e) {
        return; // the server has closed
      }
    }
  }

  private static ServerConfig config() {
    ServerConfig d = ServerConfig.defaults(0);
    return new ServerConfig(
        d.host(),
        d.port(),
        ByteSize.ofMiB(1),
        d.maxMetadata(),
        d.maxConcurrentCallsPerConnection(),
        MOST_CONNECTIONS,
        d.keepAliveTime(),
        d.keepAliveTimeout(),
        d.permitKeepAliveTime(),
        Duration.ofMillis(500),
        d.eventLoops(),
        d.stopGrace());
  }

  /** Streams what a test says, to the first one. */
  private static final class Streams extends GenerationServiceGrpc.GenerationServiceImplBase {
    final BlockingQueue<String> tokens = new LinkedBlockingQueue<>();
    final AtomicInteger begun = new AtomicInteger();

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerateResponse> observer) {
      begun.incrementAndGet();
      try {
        for (String token = tokens.take(); !token.isEmpty(); token = tokens.take()) {
          observer.onNext(
              GenerateResponse.newBuilder().setDelta(Delta.newBuilder().setText(token)).build());
        }
        observer.onCompleted();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
