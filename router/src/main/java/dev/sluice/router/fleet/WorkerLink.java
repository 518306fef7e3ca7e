package dev.sluice.router.fleet;

import io.grpc.Channel;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The way to one worker: its channel, and how many requests of this router are there now.
 *
 * <p>Threading: any thread. A request is charged when it is routed, before anything is sent, so
 * that a burst of requests sees its own effect.
 */
public final class WorkerLink {
  private final WorkerAddress address;
  private final Channel channel;
  private final AtomicInteger inFlight = new AtomicInteger();

  public WorkerLink(WorkerAddress address, Channel channel) {
    this.address = address;
    this.channel = channel;
  }

  public WorkerAddress address() {
    return address;
  }

  public Channel channel() {
    return channel;
  }

  /** Requests of this router that are at the worker now. */
  public int inFlight() {
    return inFlight.get();
  }

  /**
   * Charges one request if {@code expected} are there. False if that changed: the decision was made
   * on an old count and is to be made again.
   */
  public boolean charge(int expected) {
    return inFlight.compareAndSet(expected, expected + 1);
  }

  /** Takes back one {@link #charge}. */
  public void release() {
    inFlight.decrementAndGet();
  }
}
