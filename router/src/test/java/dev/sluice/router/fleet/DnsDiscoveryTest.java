package dev.sluice.router.fleet;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.security.ClientTls;
import dev.sluice.common.server.EventLoops;
import dev.sluice.router.index.IndexOptions;
import dev.sluice.router.index.PrefixIndex;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.ManualLoop;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Workers that come and go by DNS; time and the answers are the test's. */
@Timeout(60)
class DnsDiscoveryTest {
  private static final Duration REFRESH = FleetOptions.DEFAULTS.dnsRefresh();

  private final ManualLoop loop = new ManualLoop();
  private final EventLoops loops = EventLoops.create(1);
  private final FakeWorker a = FakeWorker.start("a");
  private final FakeWorker b = FakeWorker.start("b");
  private final Map<String, FakeWorker> hosts = Map.of("10.0.0.1", a, "10.0.0.2", b);
  private final Fleet fleet =
      new Fleet(
          List.of(),
          patient(),
          address ->
              WorkerChannels.open(
                  WorkerAddress.parse(requireNonNull(hosts.get(address.host())).address()),
                  ChannelOptions.DEFAULTS,
                  loops,
                  ClientTls.plainText(),
                  List.of()),
          loop,
          new Random(1),
          new PrefixIndex(IndexOptions.DEFAULTS));
  private List<String> answer = List.of();

  /** Fakes have no heartbeat: they may be silent as long as a test takes. */
  private static FleetOptions patient() {
    FleetOptions d = FleetOptions.DEFAULTS;
    return new FleetOptions(
        Duration.ofHours(1),
        d.stallTimeout(),
        d.backoffInitial(),
        d.backoffMax(),
        d.breaker(),
        d.dnsRefresh());
  }

  DnsDiscoveryTest() {
    fleet.follow(
        new DnsDiscovery(
            new WorkerSource.Dns("workers", 9091), REFRESH, loop, this::resolve, Runnable::run));
  }

  @AfterEach
  void close() throws Exception {
    Thread closing = Thread.ofPlatform().start(fleet::close);
    loop.runUntil(() -> fleet.snapshot().count(WorkerStatus.GONE) == size());
    closing.join();
    a.close();
    b.close();
    loops.close();
  }

  private List<InetAddress> resolve(String host) throws UnknownHostException {
    assertThat(host).isEqualTo("workers");
    if (answer.isEmpty()) {
      throw new UnknownHostException(host);
    }
    List<InetAddress> addresses = new ArrayList<>();
    for (String address : answer) {
      addresses.add(InetAddress.getByName(address));
    }
    return addresses;
  }

  private int size() {
    return fleet.snapshot().workers().size();
  }

  private WorkerView view(String host) {
    return fleet.find(host + ":9091").orElseThrow();
  }

  private void refresh(String... addresses) {
    answer = List.of(addresses);
    loop.advance(REFRESH);
    boolean[] told = new boolean[1];
    loop.execute(() -> told[0] = true);
    loop.runUntil(() -> told[0]);
  }

  private void startWith(String... addresses) {
    answer = List.of(addresses);
    fleet.start();
    loop.runUntil(() -> fleet.snapshot().ready() == addresses.length);
  }

  @Test
  void whatTheNameNamesComesAndGoes() {
    startWith("10.0.0.1");
    refresh("10.0.0.1", "10.0.0.2");
    loop.runUntil(() -> fleet.snapshot().ready() == 2);
    List<WorkerStatus> seen = new ArrayList<>();
    try (Subscription _ =
        fleet.subscribe(() -> fleet.find("10.0.0.1:9091").ifPresent(w -> seen.add(w.status())))) {
      refresh("10.0.0.2");
      loop.runUntil(() -> size() == 1);
    }
    assertThat(seen.getLast()).isEqualTo(WorkerStatus.GONE); // who watches hears of it
    assertThat(view("10.0.0.2").status()).isEqualTo(WorkerStatus.READY);
  }

  @Test
  void oneThatLeavesKeepsItsRequestsAndMayComeBack() {
    startWith("10.0.0.1", "10.0.0.2");
    WorkerLink link = view("10.0.0.1").link();
    Charge charge = link.charge(link.charged(), 0).orElseThrow();
    refresh("10.0.0.2");
    loop.runUntil(() -> view("10.0.0.1").status() == WorkerStatus.DRAINING);
    assertThat(view("10.0.0.1").reason()).isEqualTo("no longer found by dns:///workers:9091");
    refresh("10.0.0.2");
    assertThat(size()).isEqualTo(2);

    refresh("10.0.0.1", "10.0.0.2");
    loop.runUntil(() -> fleet.snapshot().ready() == 2);
    refresh("10.0.0.2");
    loop.runUntil(() -> view("10.0.0.1").status() == WorkerStatus.DRAINING);
    charge.release();
    loop.advance(Duration.ofSeconds(1));
    loop.runUntil(() -> size() == 1);
  }

  @Test
  void aLookUpThatFailsChangesNothing() {
    startWith("10.0.0.1", "10.0.0.2");
    for (int i = 0; i < 3; i++) {
      refresh();
      assertThat(fleet.snapshot().ready()).isEqualTo(2);
    }
    refresh("10.0.0.1");
    loop.runUntil(() -> size() == 1);
  }

  @Test
  void aWorkerWithAddressesOfBothFamiliesIsOne() {
    startWith("10.0.0.1");
    refresh("fd00::1", "10.0.0.1", "10.0.0.2");
    loop.runUntil(() -> fleet.snapshot().ready() == 2);
    assertThat(size()).isEqualTo(2);
  }
}
