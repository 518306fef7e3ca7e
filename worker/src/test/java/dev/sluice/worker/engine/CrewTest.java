package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class CrewTest {
  @Test
  @Timeout(60)
  void everyPartIsDoneOnceBeforeRunReturns() {
    int most = 40;
    AtomicIntegerArray done = new AtomicIntegerArray(most);
    AtomicIntegerArray busy = new AtomicIntegerArray(4);
    AtomicBoolean shared = new AtomicBoolean();
    try (Crew crew =
        new Crew(
            "crew",
            4,
            (member, part) -> {
              shared.compareAndSet(false, busy.getAndIncrement(member) != 0);
              done.incrementAndGet(part);
              busy.decrementAndGet(member);
            })) {
      crew.start();
      for (int run = 0; run < 20_000; run++) {
        int parts = run % (most + 1);
        crew.run(parts, 4);
        for (int part = 0; part < most; part++) {
          assertThat(done.getAndSet(part, 0)).isEqualTo(part < parts ? 1 : 0);
        }
      }
    }
    assertThat(shared).isFalse();
  }

  @Test
  @Timeout(60)
  void oneMemberNeedsNoThreads() {
    int[] done = new int[5];
    try (Crew crew = new Crew("crew", 1, (_, part) -> done[part]++)) {
      crew.start();
      crew.run(5, 1);
    }
    assertThat(done).containsOnly(1);
  }
}
