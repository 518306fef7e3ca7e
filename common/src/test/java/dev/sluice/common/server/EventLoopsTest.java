package dev.sluice.common.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.v1.Delta;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A server and a channel on the same loops, with what they add to each connection. */
@Timeout(60)
class EventLoopsTest {
  private static final int MESSAGES = 3_000;

  private final CompletableFuture<Boolean> ended = new CompletableFuture<>();
  private final EventLoops loops = EventLoops.create(1);
  private final GrpcServer server =
      GrpcServer.builder(ServerConfig.defaults(0)).on(loops).service(new Sizes()).build();

  /** Sends texts of many sizes, from nothing to far more than a frame. */
  private static final class Sizes extends GenerationServiceGrpc.GenerationServiceImplBase {
    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerateResponse> observer) {
      for (int i = 1; i <= MESSAGES; i++) {
        observer.onNext(message(i));
      }
      observer.onCompleted();
    }
  }

  private static GenerateResponse message(int i) {
    String text = Integer.toString(i).repeat(i % 50 == 0 ? 10_000 : i % 7);
    return GenerateResponse.newBuilder()
        .setSequence(i)
        .setDelta(Delta.newBuilder().setText(text))
        .build();
  }

  @BeforeEach
  void start() {
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(Duration.ofSeconds(1));
    loops.close();
  }

  private ManagedChannel channel() {
    return NettyChannelBuilder.forAddress("127.0.0.1", server.port())
        .usePlaintext()
        .eventLoopGroup(loops.each().getFirst())
        .channelFactory(EventLoops.clientChannels(1 << 20))
        .flowControlWindow(16 << 10)
        .build();
  }

  @Test
  void messagesOfAllSizesComeWholeAndInOrder() {
    ManagedChannel channel = channel();
    try {
      Iterator<GenerateResponse> responses =
          GenerationServiceGrpc.newBlockingStub(channel)
              .generate(GenerateRequest.getDefaultInstance());
      for (int i = 1; i <= MESSAGES; i++) {
        assertThat(responses.next()).isEqualTo(message(i));
      }
      assertThat(responses.hasNext()).isFalse();
    } finally {
      channel.shutdownNow();
    }
  }

  /** What was written last is sent before a connection is closed. */
  @Test
  void theLastMessagesArriveWhenTheServerStops() throws Exception {
    ManagedChannel channel = channel();
    try {
      GenerationServiceGrpc.newStub(channel)
          .generate(
              GenerateRequest.getDefaultInstance(),
              new StreamObserver<>() {
                private long last;

                @Override
                public void onNext(GenerateResponse response) {
                  last = response.getSequence();
                  if (last == 1) {
                    Thread.ofVirtual().start(() -> server.stop(Duration.ofSeconds(20)));
                  }
                }

                @Override
                public void onError(Throwable t) {
                  ended.completeExceptionally(t);
                }

                @Override
                public void onCompleted() {
                  ended.complete(last == MESSAGES);
                }
              });
      assertThat(ended.get()).isTrue();
    } finally {
      channel.shutdownNow();
    }
  }
}
