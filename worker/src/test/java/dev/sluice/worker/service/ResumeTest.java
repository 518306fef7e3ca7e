package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Resume;
import dev.sluice.v1.RouterHop;
import dev.sluice.worker.engine.EngineConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Streams over all features, cut anywhere and resumed on a worker that never saw them: a client
 * sees what it would have seen without the cut.
 */
@Timeout(120)
final class ResumeTest {
  private static final int REQUESTS = 80;
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
    RandomRequests requests = new RandomRequests(7, TOKENS, 40);
    Random random = new Random(8);
    try (WorkerFixture first = worker();
        WorkerFixture second = worker()) {
      for (int i = 0; i < REQUESTS; i++) {
        GenerateRequest request = requests.next();
        List<GenerateResponse> uncut = first.generate(request);
        String expected = StreamContent.of(uncut).toString();
        int kept = 1 + random.nextInt(uncut.size() - 1);
        List<GenerateResponse> messages = new ArrayList<>(uncut.subList(0, kept));
        messages.addAll(rest(second, request, messages));
        assertThat(StreamContent.of(messages)).as("%s", request).hasToString(expected);
        // and cut again: back to the first one
        messages.subList(kept + random.nextInt(messages.size() - kept), messages.size()).clear();
        messages.addAll(rest(first, request, messages));
        assertThat(StreamContent.of(messages)).as("%s", request).hasToString(expected);
      }
    }
  }

  private static List<GenerateResponse> rest(
      WorkerFixture worker, GenerateRequest request, List<GenerateResponse> received) {
    Resume resume = StreamContent.of(received).resume();
    return worker.generate(
        request.toBuilder().setHop(RouterHop.newBuilder().setResume(resume)).build());
  }
}
