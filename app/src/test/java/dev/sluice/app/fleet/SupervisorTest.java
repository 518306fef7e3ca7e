package dev.sluice.app.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Supervision of real processes. */
@Timeout(120)
final class SupervisorTest {
  private static final Duration GRACE = Duration.ofSeconds(30);

  @TempDir private Path directory = Path.of("");
  private final BlockingQueue<FleetEvent> events = new LinkedBlockingQueue<>();

  private Supervisor supervise(String mode, boolean restarts) {
    return Supervisor.start(
        "child", FakeChild.command(mode, directory), 0, directory, () -> restarts, events::add);
  }

  private static boolean alive(long pid) {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }

  @Test
  void stopsWhenAsked() {
    Supervisor supervisor = supervise("listen", true);
    assertThat(supervisor.awaitPorts().get("grpc")).isPositive();
    long pid = supervisor.pid();
    assertThat(alive(pid)).isTrue();
    supervisor.stop(GRACE);
    assertThat(alive(pid)).isFalse();
    supervisor.end().join();
    assertThat(events).hasSize(1);
  }

  @Test
  void startsAgainOnTheSamePort() throws Exception {
    Supervisor supervisor = supervise("listen", true);
    Map<String, Integer> ports = supervisor.awaitPorts();
    long pid = supervisor.pid();
    FleetEvent first = events.take();
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();

    assertThat(events.take())
        .isEqualTo(new FleetEvent.Died("child", "child was killed by signal 9"));
    assertThat(events.take()).isEqualTo(new FleetEvent.Restarting("child", Duration.ofMillis(250)));
    assertThat(events.take())
        .isInstanceOfSatisfying(
            FleetEvent.Listening.class,
            again -> {
              assertThat(again.address()).isEqualTo(((FleetEvent.Listening) first).address());
              assertThat(again.pid()).isNotEqualTo(pid);
              assertThat(again.address()).endsWith(":" + ports.get("grpc"));
            });
    supervisor.stop(GRACE);
    assertThat(alive(supervisor.pid())).isFalse();
  }

  @Test
  void endIsAFailureWhereItIsNotStartedAgain() {
    Supervisor supervisor = supervise("listen", false);
    supervisor.awaitPorts();
    ProcessHandle.of(supervisor.pid()).orElseThrow().destroyForcibly();
    assertThat(supervisor.end().handle((_, failure) -> failure).join())
        .isInstanceOf(ChildFailedException.class)
        .hasMessage("child was killed by signal 9");
  }

  @Test
  void childThatNeverListensTellsWhy() {
    Supervisor supervisor = supervise("fail", true);
    ChildFailedException failure =
        catchThrowableOfType(ChildFailedException.class, supervisor::awaitPorts);
    assertThat(failure.status()).isEqualTo(2);
    assertThat(failure).hasMessage("child exited with 2:\n  model.gguf: too short");
  }

  @Test
  void childThatDoesNotStopIsKilled() throws Exception {
    Supervisor supervisor = supervise("stubborn", true);
    supervisor.awaitPorts();
    long pid = supervisor.pid();
    supervisor.stop(Duration.ofMillis(500));
    assertThat(alive(pid)).isFalse();
    supervisor.end().get(10, TimeUnit.SECONDS);
  }

  @Test
  void stopWhileItStartsIsNoFailure() {
    Supervisor supervisor = supervise("listen", true);
    supervisor.stop(GRACE);
    supervisor.end().join();
    assertThat(alive(supervisor.pid())).isFalse();
  }
}
