package dev.sluice.common.server;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The parts of a process in the order they were started; closes them in the reverse order, once.
 *
 * <pre>
 * try (Lifecycle lifecycle = new Lifecycle(Duration.ofSeconds(40))) {
 *   Telemetry telemetry = lifecycle.add("telemetry", Telemetry.start(...));
 *   GrpcServer server = lifecycle.add("gRPC server", ...);
 *   lifecycle.stopOnSignals();
 *   lifecycle.awaitStop();
 * }
 * </pre>
 *
 * <p>Threading: thread-safe. Parts are closed one after the other on one thread of its own; every
 * {@link #close} returns when that is done or its bound is over.
 */
public final class Lifecycle implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Lifecycle.class);

  private record Part(String name, AutoCloseable closeable) {}

  private final Duration bound;
  private final CountDownLatch stopRequested = new CountDownLatch(1);
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Deque<Part> parts = new ArrayDeque<>(); // guarded by itself; last started first
  private boolean closing; // guarded by parts
  private volatile boolean waiting;
  private volatile String current = "";

  /**
   * @param bound how long closing may take; what hangs longer is left behind
   */
  public Lifecycle(Duration bound) {
    this.bound = bound;
  }

  /**
   * Registers a part that has started; closes it at once if the process already stops.
   *
   * @return the part
   */
  public <T extends AutoCloseable> T add(String name, T part) {
    synchronized (parts) {
      if (!closing) {
        parts.push(new Part(name, part));
        return part;
      }
    }
    close(new Part(name, part));
    return part;
  }

  /**
   * From now on SIGTERM and SIGINT close everything and end the process with exit status 0, if it
   * is in {@link #awaitStop}; before that they end it as usual.
   */
  public void stopOnSignals() {
    Runtime.getRuntime().addShutdownHook(new Thread(this::onShutdown, "stop"));
  }

  /** Makes {@link #awaitStop} return; for a part that cannot go on. */
  public void requestStop() {
    stopRequested.countDown();
  }

  /** Waits until somebody asks the process to stop. */
  public void awaitStop() throws InterruptedException {
    waiting = true;
    stopRequested.await();
    waiting = false;
  }

  /** Closes every part, last started first. Exceptions are logged, the rest is still closed. */
  @Override
  public void close() {
    boolean first;
    synchronized (parts) {
      first = !closing;
      closing = true;
    }
    requestStop();
    if (first) {
      Thread.ofPlatform().daemon().name("close").start(this::closeAll);
    }
    try {
      if (!closed.await(bound.toMillis(), TimeUnit.MILLISECONDS)) {
        log.warn("{} did not close within {} ms; left behind", current, bound.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void onShutdown() {
    // Also runs when main has returned or something called System.exit: then the status stays.
    boolean signalled = waiting && stopRequested.getCount() > 0;
    close();
    if (signalled) {
      Runtime.getRuntime().halt(0); // a JVM that ends by a signal would say 143
    }
  }

  private void closeAll() {
    while (true) {
      Part part;
      synchronized (parts) {
        if (parts.isEmpty()) {
          break;
        }
        part = parts.pop();
      }
      close(part);
    }
    closed.countDown();
  }

  private void close(Part part) {
    current = part.name();
    try {
      part.closeable().close();
    } catch (Exception e) {
      log.warn("{} failed to close", part.name(), e);
    }
  }
}
