package dev.sluice.common.fair;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class FairQueueProperties {
  private static final long AGEING = 1000;

  /** Everything that was added is served once, in the order that the definition says. */
  @Property(tries = 300, seed = "1")
  void servesEverythingOnceInTheOrderOfTheDefinition(
      @ForAll @IntRange(min = 1, max = 8) int tenants,
      @ForAll @IntRange(min = 1, max = 4) int priorities,
      @ForAll @IntRange(min = 0, max = 5) int idleTenants,
      @ForAll long seed) {
    Random random = new Random(seed);
    FairQueue<Integer> queue = new FairQueue<>(AGEING, idleTenants);
    List<FairEntry<Integer>> queued = new ArrayList<>();
    List<FairEntry<Integer>> out = new ArrayList<>();
    List<FairEntry<Integer>> taken = new ArrayList<>();
    Map<FairEntry<Integer>, Long> tokens = new HashMap<>();
    long now = 0;
    int serial = 0;
    for (int i = 0; i < 400; i++) {
      now += random.nextInt(60);
      switch (random.nextInt(8)) {
        case 0, 1 -> {
          FairEntry<Integer> entry =
              queue.open(
                  serial,
                  "t" + random.nextInt(tenants),
                  random.nextInt(priorities),
                  1 + random.nextInt(3),
                  serial);
          serial++;
          out.add(entry);
        }
        case 2, 3 -> {
          List<FairEntry<Integer>> from = random.nextBoolean() ? out : taken;
          if (!from.isEmpty()) {
            FairEntry<Integer> entry = from.remove(random.nextInt(from.size()));
            tokens.put(entry, (long) random.nextInt(100));
            queue.add(entry, tokens.get(entry), now);
            queued.add(entry);
          }
        }
        case 4 -> {
          if (!queued.isEmpty()) {
            FairEntry<Integer> entry = queued.remove(random.nextInt(queued.size()));
            queue.withdraw(entry);
            out.add(entry);
          }
        }
        case 5 -> {
          List<FairEntry<Integer>> from = random.nextBoolean() ? queued : taken;
          if (!from.isEmpty()) {
            queue.close(from.remove(random.nextInt(from.size())));
          }
        }
        default -> {
          FairEntry<Integer> first = queue.first(now);
          long time = now;
          assertThat(queue.isEmpty()).isEqualTo(first == null);
          if (first != null) {
            assertThat(queued).contains(first);
            for (FairEntry<Integer> other : queued) {
              if (!other.promoted && other.flow.queued.first() != other) {
                continue; // it waits for others of its tenant
              }
              assertThat(queue.precedes(other, first, time)).isFalse();
              assertThat(other == first || queue.precedes(first, other, time)).isTrue();
            }
            queue.take(first, now);
            queue.charge(first, random.nextInt(100));
            queued.remove(first);
            taken.add(first);
          }
        }
      }
      assertThat(queue.size()).isEqualTo(queued.size());
      assertThat(queue.tokens()).isEqualTo(queued.stream().mapToLong(tokens::get).sum());
      assertThat(queue.tenants()).isLessThanOrEqualTo(tenants * priorities);
    }
    List<FairEntry<Integer>> all = new ArrayList<>(out);
    all.addAll(taken);
    while (!queue.isEmpty()) {
      FairEntry<Integer> first = first(queue, now);
      queue.take(first, now);
      assertThat(queued.remove(first)).isTrue();
      all.add(first);
    }
    assertThat(queued).isEmpty();
    all.forEach(queue::close);
    assertThat(queue.tenants()).isLessThanOrEqualTo(idleTenants);
  }

  /** Between any two moments, two tenants that always wait differ by at most one item of each. */
  @Property(tries = 200, seed = "2")
  void unfairnessIsBoundedByOneItem(
      @ForAll @IntRange(min = 2, max = 6) int tenants,
      @ForAll @IntRange(min = 1, max = 500) int largest,
      @ForAll long seed) {
    Random random = new Random(seed);
    FairQueue<Integer> queue = new FairQueue<>(Long.MAX_VALUE, 10);
    double[] weights = random.doubles(tenants, 0.5, 4).toArray();
    double[] served = new double[tenants]; // tokens per weight
    double[][] least = new double[tenants][tenants]; // of served[a] - served[b]
    double[][] most = new double[tenants][tenants];
    long serial = 0;
    for (int tenant = 0; tenant < tenants; tenant++) {
      addRandom(queue, tenant, weights[tenant], serial++, largest, random);
      addRandom(queue, tenant, weights[tenant], serial++, largest, random);
    }
    for (int i = 0; i < 2000; i++) {
      FairEntry<Integer> first = first(queue, 0);
      int tenant = first.item();
      int tokens = (int) first.tokens;
      queue.take(first, 0);
      queue.charge(first, tokens);
      queue.close(first);
      addRandom(queue, tenant, weights[tenant], serial++, largest, random);
      served[tenant] += tokens / weights[tenant];
      for (int a = 0; a < tenants; a++) {
        for (int b = 0; b < tenants; b++) {
          double lead = served[a] - served[b];
          least[a][b] = Math.min(least[a][b], lead);
          most[a][b] = Math.max(most[a][b], lead);
          assertThat(most[a][b] - least[a][b])
              .isLessThanOrEqualTo(largest / weights[a] + largest / weights[b] + 1e-6);
        }
      }
    }
  }

  /** Whoever comes from idle is next, however much the others have waiting, and only once. */
  @Property(tries = 100, seed = "3")
  void aNewcomerIsNextAndHasSavedNothingUp(
      @ForAll @IntRange(min = 1, max = 200) int flood, @ForAll long seed) {
    Random random = new Random(seed);
    FairQueue<Integer> queue = new FairQueue<>(Long.MAX_VALUE, 10);
    long serial = 0;
    for (int i = 0; i < 2 * flood; i++) {
      add(queue, 0, 1, serial++);
    }
    for (int i = 0; i < flood; i++) {
      serve(queue, 0, 1 + random.nextInt(1000));
    }
    for (int i = 0; i < 10; i++) {
      add(queue, 1, 1, serial++);
    }
    assertThat(serve(queue, 0, 500)).isEqualTo(1);
    if (flood > 1) {
      assertThat(serve(queue, 0, 1)).isEqualTo(0);
    }
  }

  /** A tenant of the lowest class is served once per period, whatever the highest asks for. */
  @Property(tries = 50, seed = "4")
  void nobodyStarves(
      @ForAll @IntRange(min = 1, max = 20) int starving,
      @ForAll @IntRange(min = 1, max = 100) int step) {
    FairQueue<Integer> queue = new FairQueue<>(AGEING, 10);
    long serial = 0;
    for (int tenant = 0; tenant < starving; tenant++) {
      for (int i = 0; i < 3; i++) {
        queue.add(queue.open(tenant, "low" + tenant, -1 - tenant, 1, serial), 1, 0);
        serial++;
      }
    }
    Map<Integer, Integer> served = new HashMap<>();
    long now = 0;
    for (; now < 3 * AGEING + (starving + 3L) * step; now += step) {
      queue.add(queue.open(-1, "high", 1, 1, serial++), 1, now);
      FairEntry<Integer> first = first(queue, now);
      queue.take(first, now);
      queue.close(first);
      served.merge(first.item(), 1, Integer::sum);
    }
    for (int tenant = 0; tenant < starving; tenant++) {
      assertThat(served.get(tenant)).as("tenant %s by %s", tenant, now).isBetween(2, 3);
    }
  }

  @Example
  void anItemThatWasTakenForItsAgeStaysBeforeAllClasses() {
    FairQueue<String> queue = new FairQueue<>(AGEING, 10);
    FairEntry<String> old = queue.open("old", "a", 0, 1, 0);
    FairEntry<String> high = queue.open("high", "b", 5, 1, 1);
    queue.add(old, 10, 0);
    queue.add(high, 10, 0);
    assertThat(first(queue, 0)).isSameAs(high);
    queue.take(high, 999);
    queue.add(high, 10, 999);
    assertThat(first(queue, 1000)).isSameAs(old);
    queue.take(old, 1000);
    assertThat(old.isPromoted()).isTrue();
    queue.add(old, 10, 1001);
    assertThat(first(queue, 1001)).isSameAs(old);
    assertThat(queue.precedes(old, high, 1001)).isTrue();
  }

  @Example
  void aPlaceIsKept() {
    FairQueue<Integer> queue = new FairQueue<>(AGEING, 10);
    List<FairEntry<Integer>> entries = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      entries.add(queue.open(i, "t", 0, 1, i));
    }
    for (int i : new int[] {3, 0, 6, 2, 5, 1, 4}) {
      queue.add(entries.get(i), 1, 0);
    }
    List<Integer> order = new ArrayList<>();
    while (!queue.isEmpty()) {
      FairEntry<Integer> first = first(queue, 0);
      queue.take(first, 0);
      order.add(first.item());
    }
    assertThat(order).isSortedAccordingTo(Comparator.naturalOrder());
  }

  @Example
  void tellsWhatANewcomerWouldWaitFor() {
    FairQueue<Integer> queue = new FairQueue<>(AGEING, 10);
    for (int i = 0; i < 100; i++) {
      queue.add(queue.open(i, "flood", 0, 1, i), 1000, 0);
    }
    queue.add(queue.open(100, "vip", 7, 1, 100), 50, 0);
    assertThat(queue.ahead("flood", 0, 1, 10)).isEqualTo(new Backlog(100_050, 101, 100_010));
    assertThat(queue.ahead("new", 0, 1, 500)).isEqualTo(new Backlog(50, 1, 500));
    // as much of the flood as its own
    assertThat(queue.ahead("new", 0, 1, 2500)).isEqualTo(new Backlog(2550, 3.5, 2500));
    assertThat(queue.ahead("new", 8, 1, 500)).isEqualTo(new Backlog(0, 0, 500));
    assertThat(queue.tenants()).isEqualTo(2);
  }

  @Example
  void anEntryIsNotAddedTwice() {
    FairQueue<String> queue = new FairQueue<>(AGEING, 10);
    FairEntry<String> entry = queue.open("it", "t", 0, 1, 0);
    queue.add(entry, 1, 0);
    assertThatIllegalStateException()
        .isThrownBy(() -> queue.add(entry, 1, 0))
        .withMessage("it is QUEUED (expected: out or in service)");
  }

  /** Ten thousand tenants, each operation a few times. */
  @Example
  void operationsAllocateNothing() {
    FairQueue<Integer> queue = new FairQueue<>(AGEING, 10);
    List<FairEntry<Integer>> entries = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) {
      FairEntry<Integer> entry = queue.open(i, "t" + i % 10_000, i % 3, 1, i);
      entries.add(entry);
      queue.add(entry, i, 0);
    }
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    pass(queue, 100); // classes are loaded
    long before = threads.getCurrentThreadAllocatedBytes();
    pass(queue, 10_000);
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertThat(allocated).isLessThan(1000);
    assertThat(queue.size()).isEqualTo(entries.size());
  }

  private static void pass(FairQueue<Integer> queue, int times) {
    for (int i = 0; i < times; i++) {
      FairEntry<Integer> first = queue.first(i);
      if (first == null) {
        throw new IllegalStateException("empty");
      }
      queue.take(first, i);
      queue.charge(first, 100);
      queue.add(first, 100, i);
      queue.withdraw(first);
      queue.add(first, 100, i);
    }
  }

  private static void addRandom(
      FairQueue<Integer> queue,
      int tenant,
      double weight,
      long serial,
      int largest,
      Random random) {
    FairEntry<Integer> entry = queue.open(tenant, "t" + tenant, 0, weight, serial);
    queue.add(entry, 1 + random.nextInt(largest), 0);
  }

  private static void add(FairQueue<Integer> queue, int tenant, double weight, long serial) {
    queue.add(queue.open(tenant, "t" + tenant, 0, weight, serial), 100, 0);
  }

  private static int serve(FairQueue<Integer> queue, long now, int tokens) {
    FairEntry<Integer> first = first(queue, now);
    queue.take(first, now);
    queue.charge(first, tokens);
    queue.close(first);
    return first.item();
  }

  private static <T> FairEntry<T> first(FairQueue<T> queue, long now) {
    FairEntry<T> first = queue.first(now);
    if (first == null) {
      throw new IllegalStateException("empty");
    }
    return first;
  }
}
