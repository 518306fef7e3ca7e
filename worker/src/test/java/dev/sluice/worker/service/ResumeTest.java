package dev.sluice.worker.service;

import dev.sluice.worker.engine.EngineConfig;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Streams over all features, cut anywhere and resumed on a worker that never saw them: a client
 * sees what it would have seen without the cut. {@link ResumeCampaign} is the same at length.
 */
@Timeout(120)
final class ResumeTest {
  private static final int REQUESTS = 40;
  private static final long STEP_NANOS = 200_000; // so that deltas do not all merge

  // letters, the bytes of "é" and "€", and the token that ends a sequence
  private static final List<Integer> TOKENS =
      IntStream.concat(
              IntStream.rangeClosed('a', 'f'), IntStream.of(0xC3, 0xA9, 0xE2, 0x82, 0xAC, 256))
          .boxed()
          .toList();

  private static WorkerFixture worker() {
    WorkerFixture worker =
        new WorkerFixture(
            WorkerFixture.SMALL, EngineConfig.defaults(), _ -> LockSupport.parkNanos(STEP_NANOS));
    worker.serve();
    return worker;
  }

  @Test
  void aCutMakesNoDifference() {
    try (WorkerFixture first = worker();
        WorkerFixture second = worker()) {
      Cuts cuts = new Cuts(first, second, 8);
      RandomRequests requests = new RandomRequests(7, TOKENS, 40);
      for (int i = 0; i < REQUESTS; i++) {
        cuts.verify(requests.next());
      }
    }
  }
}
