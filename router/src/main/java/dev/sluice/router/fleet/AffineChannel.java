package dev.sluice.router.fleet;

import dev.sluice.common.server.EventLoops;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * One connection to a worker for each event loop, made when it is first needed. A call takes that
 * of the loop which serves its client ({@link EventLoops#OF_CALL}), so that a message passes from
 * worker to client on one thread, without waking another. Other calls take the first.
 *
 * <p>Threading: any thread; immutable.
 */
final class AffineChannel extends ManagedChannel {
  private final List<EventLoop> loops;
  private final List<ManagedChannel> channels; // one for each loop

  AffineChannel(List<EventLoop> loops, List<ManagedChannel> channels) {
    this.loops = loops;
    this.channels = channels;
  }

  @Override
  public <Q, R> ClientCall<Q, R> newCall(MethodDescriptor<Q, R> method, CallOptions options) {
    int index = Math.max(0, loops.indexOf(options.getOption(EventLoops.OF_CALL)));
    return channels.get(index).newCall(method, options);
  }

  @Override
  public String authority() {
    return channels.getFirst().authority();
  }

  @Override
  public ManagedChannel shutdown() {
    channels.forEach(ManagedChannel::shutdown);
    return this;
  }

  @Override
  public ManagedChannel shutdownNow() {
    channels.forEach(ManagedChannel::shutdownNow);
    return this;
  }

  @Override
  public boolean isShutdown() {
    return channels.stream().allMatch(ManagedChannel::isShutdown);
  }

  @Override
  public boolean isTerminated() {
    return channels.stream().allMatch(ManagedChannel::isTerminated);
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
    long end = System.nanoTime() + unit.toNanos(timeout);
    for (ManagedChannel channel : channels) {
      if (!channel.awaitTermination(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        return false;
      }
    }
    return true;
  }

  /** Of the first connection, which carries Watch and so is always wanted. */
  @Override
  public ConnectivityState getState(boolean requestConnection) {
    return channels.getFirst().getState(requestConnection);
  }

  @Override
  public void notifyWhenStateChanged(ConnectivityState source, Runnable callback) {
    channels.getFirst().notifyWhenStateChanged(source, callback);
  }

  @Override
  public void resetConnectBackoff() {
    channels.forEach(ManagedChannel::resetConnectBackoff);
  }

  @Override
  public void enterIdle() {
    channels.forEach(ManagedChannel::enterIdle);
  }
}
