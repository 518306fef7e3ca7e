package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Resume;
import dev.sluice.v1.RouterHop;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Cuts streams between any two messages and lets another worker go on. */
final class Cuts {
  private final WorkerFixture first;
  private final WorkerFixture second;
  private final Random random;
  private int requests;
  private int messages;

  Cuts(WorkerFixture first, WorkerFixture second, long seed) {
    this.first = first;
    this.second = second;
    this.random = new Random(seed);
  }

  /** Cuts a stream twice; a client must not see it. */
  void verify(GenerateRequest request) {
    List<GenerateResponse> uncut = first.generate(request);
    String expected = StreamContent.of(uncut).toString();
    int kept = 1 + random.nextInt(uncut.size() - 1);
    List<GenerateResponse> received = new ArrayList<>(uncut.subList(0, kept));
    received.addAll(rest(second, request, received));
    assertThat(StreamContent.of(received)).as("%s", request).hasToString(expected);
    // and cut again: back to the first one
    received.subList(kept + random.nextInt(received.size() - kept), received.size()).clear();
    received.addAll(rest(first, request, received));
    assertThat(StreamContent.of(received)).as("%s", request).hasToString(expected);
    requests++;
    messages += received.size();
  }

  private static List<GenerateResponse> rest(
      WorkerFixture worker, GenerateRequest request, List<GenerateResponse> received) {
    Resume resume = StreamContent.of(received).resume();
    return worker.generate(
        request.toBuilder().setHop(RouterHop.newBuilder().setResume(resume)).build());
  }

  @Override
  public String toString() {
    return requests + " requests, " + messages + " messages, " + 2 * requests + " cuts";
  }
}
