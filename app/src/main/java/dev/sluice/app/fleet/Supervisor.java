package dev.sluice.app.fleet;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Keeps one child process running.
 *
 * <p>Threading: one virtual thread starts the child, waits for its end and starts the next one;
 * {@link #stop} may come from any thread. The lock only covers the change of child.
 */
final class Supervisor {
  private static final Duration LISTEN_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration FIRST_DELAY = Duration.ofMillis(250);
  private static final Duration LONGEST_DELAY = Duration.ofSeconds(10);

  /** A child that ran this long was sound: the next restart is as quick as the first. */
  private static final Duration SOUND_AFTER = Duration.ofSeconds(30);

  /** Ctrl-C reaches children and parent at once: a child may be gone before we are told. */
  private static final Duration STOP_NOTICE = Duration.ofMillis(300);

  /** The command line of a child that is to listen on a port; 0: any free one. */
  interface Command {
    List<String> of(int port);
  }

  private final String name;
  private final Command command;
  private final Path directory;
  private final BooleanSupplier restarts;
  private final Consumer<FleetEvent> events;
  private final CountDownLatch stopping = new CountDownLatch(1);
  private final CompletableFuture<Map<String, Integer>> ports = new CompletableFuture<>();
  private final CompletableFuture<Void> end = new CompletableFuture<>();
  private Child child; // guarded by this

  private Supervisor(
      String name,
      Command command,
      int port,
      Path directory,
      BooleanSupplier restarts,
      Consumer<FleetEvent> events) {
    this.name = name;
    this.command = command;
    this.directory = directory;
    this.restarts = restarts;
    this.events = events;
    this.child = Child.start(name, command.of(port), directory);
  }

  /**
   * Starts the child.
   *
   * @param port that it is to listen on; 0: any free one
   * @param restarts whether a child that ends by itself is started again; asked when it happens
   */
  static Supervisor start(
      String name,
      Command command,
      int port,
      Path directory,
      BooleanSupplier restarts,
      Consumer<FleetEvent> events) {
    Supervisor supervisor = new Supervisor(name, command, port, directory, restarts, events);
    Thread.ofVirtual().name("supervise-" + name).start(supervisor::run);
    return supervisor;
  }

  private void run() {
    try {
      supervise();
    } catch (InterruptedException e) {
      end.completeExceptionally(e);
    } catch (RuntimeException e) {
      ports.completeExceptionally(e);
      if (stopping.getCount() == 0) {
        end.complete(null); // asked to end while it started
      } else {
        end.completeExceptionally(e);
      }
    }
  }

  private void supervise() throws InterruptedException {
    Duration delay = FIRST_DELAY;
    while (true) {
      Child running = child();
      Map<String, Integer> listening = running.awaitPorts(LISTEN_TIMEOUT);
      events.accept(
          new FleetEvent.Listening(name, running.pid(), "127.0.0.1:" + listening.get("grpc")));
      ports.complete(listening);
      long started = System.nanoTime();
      running.awaitEnd();
      if (stopsWithin(STOP_NOTICE)) {
        break;
      }
      ChildFailedException failure = running.failure();
      events.accept(new FleetEvent.Died(name, String.valueOf(failure.getMessage())));
      if (!restarts.getAsBoolean()) {
        throw failure;
      }
      if (System.nanoTime() - started > SOUND_AFTER.toNanos()) {
        delay = FIRST_DELAY;
      }
      events.accept(new FleetEvent.Restarting(name, delay));
      if (stopsWithin(delay) || !restart(listening.getOrDefault("grpc", 0))) {
        break;
      }
      delay =
          delay.multipliedBy(2).compareTo(LONGEST_DELAY) < 0
              ? delay.multipliedBy(2)
              : LONGEST_DELAY;
    }
    end.complete(null);
  }

  private boolean stopsWithin(Duration time) throws InterruptedException {
    return stopping.await(time.toMillis(), TimeUnit.MILLISECONDS);
  }

  private synchronized Child child() {
    return child;
  }

  private synchronized boolean restart(int port) {
    if (stopping.getCount() == 0) {
      return false;
    }
    child = Child.start(name, command.of(port), directory);
    return true;
  }

  /** The process that runs now, or ran last. */
  long pid() {
    return child().pid();
  }

  /**
   * Waits until the child listens for the first time.
   *
   * @throws ChildFailedException if it ends first, or takes too long
   */
  Map<String, Integer> awaitPorts() {
    try {
      return ports.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw e;
    }
  }

  /** Completes when the child has stopped for good: exceptionally if nobody asked it to. */
  CompletableFuture<Void> end() {
    return end;
  }

  /** From now on it is not started again, and it is asked to end. */
  synchronized void requestStop() {
    stopping.countDown();
    child.terminate();
  }

  /** Returns when it has ended: after the grace by force. */
  void stop(Duration grace) {
    requestStop();
    child().stop(grace);
  }
}
