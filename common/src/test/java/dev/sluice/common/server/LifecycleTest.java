package dev.sluice.common.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class LifecycleTest {
  private final List<String> closed = new CopyOnWriteArrayList<>();

  @Test
  void closesInReverseOrderOnce() {
    Lifecycle lifecycle = new Lifecycle(Duration.ofSeconds(10));
    lifecycle.add("a", () -> closed.add("a"));
    lifecycle.add("b", () -> closed.add("b"));
    lifecycle.close();
    lifecycle.close();
    assertThat(closed).containsExactly("b", "a");
  }

  @Test
  void aPartThatFailsDoesNotKeepTheOthersOpen() {
    try (Lifecycle lifecycle = new Lifecycle(Duration.ofSeconds(10))) {
      lifecycle.add("a", () -> closed.add("a"));
      lifecycle.add(
          "b",
          () -> {
            throw new IOException("on purpose");
          });
    }
    assertThat(closed).containsExactly("a");
  }

  @Test
  void aPartThatHangsIsLeftBehind() {
    CountDownLatch never = new CountDownLatch(1);
    Lifecycle lifecycle = new Lifecycle(Duration.ofMillis(50));
    lifecycle.add("hangs", never::await);
    lifecycle.close();
    never.countDown();
  }

  @Test
  void aPartThatComesTooLateIsClosedAtOnce() {
    Lifecycle lifecycle = new Lifecycle(Duration.ofSeconds(10));
    lifecycle.close();
    lifecycle.add("late", () -> closed.add("late"));
    assertThat(closed).containsExactly("late");
  }

  @Test
  void requestStopEndsTheWait() throws InterruptedException {
    try (Lifecycle lifecycle = new Lifecycle(Duration.ofSeconds(10))) {
      lifecycle.requestStop();
      lifecycle.awaitStop();
    }
  }

  @Test
  void aSignalClosesEverythingAndEndsWithZero() throws Exception {
    ChildProcess child = ChildProcess.start(Waits.class, java.util.Map.of());
    assertThat(child.firstLine()).isEqualTo("ready");
    assertThat(child.process().toHandle().destroy()).isTrue(); // SIGTERM; keeps its output
    assertThat(child.process().waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(child.restOfStdout()).containsExactly("closed b", "closed a");
    assertThat(child.process().exitValue()).isZero();
  }

  @Test
  void anExitStatusOfMainStays() throws Exception {
    ChildProcess child = ChildProcess.start(Exits.class, java.util.Map.of());
    assertThat(child.process().waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(child.process().exitValue()).isEqualTo(3);
    assertThat(child.restOfStdout()).containsExactly("closed a");
  }

  static final class Waits {
    public static void main(String[] args) throws InterruptedException {
      try (Lifecycle lifecycle = new Lifecycle(Duration.ofSeconds(10))) {
        lifecycle.add("a", () -> System.out.println("closed a"));
        lifecycle.add("b", () -> System.out.println("closed b"));
        lifecycle.stopOnSignals();
        lifecycle.add("ready", () -> {});
        System.out.println("ready");
        lifecycle.awaitStop();
      }
    }
  }

  static final class Exits {
    public static void main(String[] args) {
      Lifecycle lifecycle = new Lifecycle(Duration.ofSeconds(10));
      lifecycle.add("a", () -> System.out.println("closed a"));
      lifecycle.stopOnSignals();
      System.exit(3);
    }
  }
}
