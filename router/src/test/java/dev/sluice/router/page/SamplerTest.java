package dev.sluice.router.page;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.Foreign;
import dev.sluice.router.fleet.WorkerAddress;
import dev.sluice.router.fleet.WorkerReport;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.testing.Links;
import dev.sluice.v1.Capabilities;
import dev.sluice.v1.Limits;
import dev.sluice.v1.Load;
import dev.sluice.v1.Model;
import dev.sluice.v1.Timings;
import dev.sluice.v1.Usage;
import dev.sluice.v1.WorkerIdentity;
import dev.sluice.v1.WorkerState;
import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What is seen of a fleet second by second, and how the page is told. */
class SamplerTest {
  private static final long SECOND = 1_000_000_000L;

  private final AtomicLong now = new AtomicLong();
  private final Clock clock = Clock.fixed(Instant.ofEpochMilli(5000), ZoneOffset.UTC);
  private final RequestLog requests = new RequestLog(10, clock, now::get);
  private FleetSnapshot fleet = new FleetSnapshot(1, List.of());
  private final Sampler sampler = new Sampler(() -> fleet, () -> 7, requests, clock, 3);

  private static WorkerView worker(int port, WorkerStatus status, String epoch, Load load) {
    WorkerAddress address = new WorkerAddress("h", port);
    return new WorkerView(
        address,
        status,
        status == WorkerStatus.SUSPECT ? "connection lost" : "",
        Optional.of(
            new WorkerReport(
                WorkerIdentity.newBuilder().setWorkerId("w" + port).setEpoch(epoch).build(),
                Capabilities.getDefaultInstance(),
                Model.newBuilder().setId("m").setContextLength(2048).setChatTemplate(true).build(),
                Limits.getDefaultInstance(),
                WorkerState.WORKER_STATE_READY,
                load,
                1)),
        1,
        Foreign.NONE,
        Links.to(address));
  }

  private static Load load(int running, int owned, int cached, long tokens) {
    return Load.newBuilder()
        .setRunningRequests(running)
        .setWaitingRequests(1)
        .setKvBlocksTotal(100)
        .setKvBlocksOwned(owned)
        .setKvBlocksCached(cached)
        .setOutputTokensTotal(tokens)
        .setStepNanos(25_000_000)
        .build();
  }

  private Sample next(WorkerView... workers) {
    fleet = new FleetSnapshot(fleet.version() + 1, List.of(workers));
    now.addAndGet(SECOND);
    return sampler.next();
  }

  private void answered(String worker, int prompt, int cached) {
    Trail trail = requests.begin("Generate");
    trail.attempt(worker);
    trail.started(1_000, 2_000);
    trail.firstToken(40_000_000);
    trail.completed(
        Usage.newBuilder().setPromptTokens(prompt).setCachedPromptTokens(cached).build(),
        Timings.newBuilder().setItlMeanNanos(20_000_000).build());
    trail.ended("OK");
  }

  @Test
  void sumsOverTheWorkersThatAreThere() {
    Sample sample =
        next(
            worker(1, WorkerStatus.READY, "e", load(3, 50, 10, 0)),
            worker(2, WorkerStatus.DRAINING, "e", load(2, 10, 0, 0)),
            worker(3, WorkerStatus.SUSPECT, "e", load(9, 90, 0, 0)));
    assertThat(sample.ready()).isOne();
    assertThat(sample.running()).isEqualTo(5);
    assertThat(sample.waiting()).isEqualTo(2);
    assertThat(sample.queued()).isEqualTo(7);
    assertThat(sample.kvOwned()).isEqualTo(0.3);
    assertThat(sample.kvCached()).isEqualTo(0.05);
    assertThat(sample.prefixHits()).isEmpty();
    assertThat(sample.ttft()).isEmpty();
  }

  @Test
  void tokensPerSecondAreTheGrowthOfTheTotals() {
    next(worker(1, WorkerStatus.READY, "e", load(1, 0, 0, 1000)));
    now.addAndGet(SECOND); // the next sample comes late
    Sample sample = next(worker(1, WorkerStatus.READY, "e", load(1, 0, 0, 1100)));
    assertThat(sample.tokensPerSecond()).isEqualTo(50.0);
    assertThat(sampler.workers().getFirst().tokensPerSecond()).isEqualTo(50.0);
  }

  @Test
  void aWorkerThatStartedAnewHasNoRateYet() {
    next(worker(1, WorkerStatus.READY, "e1", load(1, 0, 0, 1000)));
    assertThat(next(worker(1, WorkerStatus.READY, "e2", load(1, 0, 0, 5000))).tokensPerSecond())
        .isZero();
    assertThat(next(worker(1, WorkerStatus.SUSPECT, "e2", load(1, 0, 0, 9000))).tokensPerSecond())
        .isZero();
    assertThat(next(worker(1, WorkerStatus.READY, "e2", load(1, 0, 0, 9900))).tokensPerSecond())
        .isZero();
  }

  @Test
  void prefixHitsByWorkerAndOfAll() {
    answered("w1", 100, 80);
    answered("w2", 100, 0);
    Sample sample =
        next(
            worker(1, WorkerStatus.READY, "e", load(0, 0, 0, 0)),
            worker(2, WorkerStatus.READY, "e", load(0, 0, 0, 0)),
            worker(3, WorkerStatus.READY, "e", load(0, 0, 0, 0)));
    assertThat(sample.prefixHits()).hasValue(0.4);
    assertThat(sampler.workers().get(0).prefixHits()).hasValue(0.8);
    assertThat(sampler.workers().get(1).prefixHits()).hasValue(0.0);
    assertThat(sampler.workers().get(2).prefixHits()).isEmpty();
  }

  @Test
  void ratesOfRequestsAndFailures() {
    answered("w1", 1, 0);
    requests.begin("Generate").ended("UNAVAILABLE");
    Sample sample = next();
    assertThat(sample.requestsPerSecond()).isEqualTo(2.0);
    assertThat(sample.failuresPerSecond()).isEqualTo(1.0);
    assertThat(next().requestsPerSecond()).isZero();
  }

  @Test
  void theHistoryIsBounded() {
    for (int i = 0; i < 5; i++) {
      next(worker(1, WorkerStatus.READY, "e", load(i, 0, 0, 0)));
    }
    assertThat(sampler.history()).extracting(Sample::running).containsExactly(2, 3, 4);
  }

  @Test
  void thePageIsToldInMicroseconds() throws IOException {
    answered("w1", 100, 80);
    Sample sample = next(worker(1, WorkerStatus.READY, "e", load(3, 50, 10, 0)));
    JsonNode update =
        new ObjectMapper()
            .readTree(PageJson.update(fleet, sample, sampler.workers(), requests.after(0)));
    assertThat(update.path("kind").asText()).isEqualTo("update");
    assertThat(update.at("/sample/at").asLong()).isEqualTo(5000);
    assertThat(update.at("/sample/ttftP50").asLong()).isEqualTo(40_000);
    assertThat(update.at("/sample/itlP99").asLong()).isEqualTo(20_000);
    assertThat(update.at("/sample/kvOwned").asDouble()).isEqualTo(0.5);
    assertThat(update.at("/workers/0/name").asText()).isEqualTo("w1");
    assertThat(update.at("/workers/0/load/step").asLong()).isEqualTo(25_000);
    assertThat(update.at("/workers/0/prefixHits").asDouble()).isEqualTo(0.8);
    assertThat(update.at("/requests/0/attempts/0/prefill").asLong()).isEqualTo(2);
    assertThat(update.at("/requests/0/itlMax").isNull()).isFalse();
    assertThat(update.at("/models/0/chat").asBoolean()).isTrue();
  }

  @Test
  void aSnapshotHasTheHistoryInColumnsOfOneLength() throws IOException {
    next(worker(1, WorkerStatus.READY, "e", load(3, 50, 10, 0)));
    next(worker(1, WorkerStatus.SUSPECT, "e", load(3, 50, 10, 0)));
    JsonNode snapshot =
        new ObjectMapper()
            .readTree(
                PageJson.snapshot(
                    new PageJson.About("1", "cost", 4000, 600),
                    fleet,
                    sampler.history(),
                    sampler.workers(),
                    List.of()));
    assertThat(snapshot.path("history"))
        .isNotEmpty()
        .allSatisfy(column -> assertThat(column).hasSize(2));
    assertThat(snapshot.at("/history/running/0").asInt()).isEqualTo(3);
    assertThat(snapshot.at("/history/ttftP50/0").isNull()).isTrue();
    assertThat(snapshot.at("/workers/0/load").isNull()).isTrue();
    assertThat(snapshot.at("/workers/0/reason").asText()).isEqualTo("connection lost");
    assertThat(snapshot.at("/router/policy").asText()).isEqualTo("cost");
  }

  @Test
  void aVeryLargeFleetIsCutAndThePageSaysSo() throws IOException {
    WorkerView[] many = new WorkerView[300];
    for (int i = 0; i < many.length; i++) {
      many[i] = worker(i + 1, WorkerStatus.READY, "e", load(1, 1, 0, 0));
    }
    Sample sample = next(many);
    JsonNode update =
        new ObjectMapper().readTree(PageJson.update(fleet, sample, sampler.workers(), List.of()));
    assertThat(update.path("workers")).hasSize(256);
    assertThat(update.path("workersLeftOut").asInt()).isEqualTo(44);
    assertThat(sample.running()).isEqualTo(300);
  }
}
