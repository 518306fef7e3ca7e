package dev.sluice.worker.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import dev.sluice.worker.engine.ModelRunner.Geometry;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class SimulatedFleetTest {
  private static final int TOKENS = 20;
  private static final Duration STEP = Duration.ofMillis(10);
  private static final SimulatedWorkerOptions OPTIONS =
      new SimulatedWorkerOptions(
          "simulated",
          new Geometry(ByteTokenizer.SIZE, 512, 16, 256, 256, 16),
          new CostModel((double) STEP.toNanos(), 0, 0, 0, 0),
          64,
          true,
          Duration.ofSeconds(1));
  private static final GenerateRequest REQUEST =
      GenerateRequest.newBuilder()
          .setText("Once upon a time")
          .setSampling(Sampling.newBuilder().setTemperature(0))
          .setStopping(Stopping.newBuilder().setMaxTokens(TOKENS).setIgnoreEos(true))
          .build();

  private static List<Integer> tokens(String address) {
    String[] parts = address.split(":", -1);
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(parts[0], Integer.parseInt(parts[1])).usePlaintext().build();
    try {
      List<Integer> tokens = new ArrayList<>();
      GenerationServiceGrpc.newBlockingStub(channel)
          .generate(REQUEST)
          .forEachRemaining((GenerateResponse r) -> tokens.addAll(r.getDelta().getTokenIdsList()));
      return tokens;
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void everyWorkerGivesTheSameAnswerAndTakesItsTime() {
    try (SimulatedFleet fleet = SimulatedFleet.start(3, 0, 1, OPTIONS)) {
      List<Integer> first = tokens(fleet.addresses().getFirst());
      assertThat(first).hasSize(TOKENS);
      for (String address : fleet.addresses()) {
        long begin = System.nanoTime();
        assertThat(tokens(address)).isEqualTo(first);
        assertThat(System.nanoTime() - begin)
            .as("a step for each token, one of which may already be under way")
            .isGreaterThan(STEP.multipliedBy(TOKENS - 3).toNanos());
      }
    }
  }
}
