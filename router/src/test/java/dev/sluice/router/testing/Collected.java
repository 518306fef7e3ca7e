package dev.sluice.router.testing;

import dev.sluice.v1.GenerateResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The client's side of one call with everything that arrived: headers, messages, status, trailers.
 *
 * <p>Threading: thread-safe.
 */
public final class Collected<A> extends ClientCall.Listener<A> {
  private final ClientCall<?, A> call;
  private final LinkedBlockingQueue<A> messages = new LinkedBlockingQueue<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile Status status = Status.UNKNOWN;
  private volatile Metadata trailers = new Metadata();

  private Collected(ClientCall<?, A> call) {
    this.call = call;
  }

  /** Starts a call that asks for so many messages; more with {@link #request}. */
  public static <Q, A> Collected<A> start(
      Channel channel, MethodDescriptor<Q, A> method, CallOptions options, Q request, int ask) {
    return start(channel.newCall(method, options), new Metadata(), request, ask);
  }

  /** As above, with headers. */
  public static <Q, A> Collected<A> start(
      ClientCall<Q, A> call, Metadata headers, Q request, int ask) {
    Collected<A> collected = new Collected<>(call);
    call.start(collected, headers);
    call.request(ask);
    call.sendMessage(request);
    call.halfClose();
    return collected;
  }

  public void request(int count) {
    call.request(count);
  }

  public void cancel() {
    call.cancel("the test hangs up", null);
  }

  /** The next message. */
  public A next() {
    return FakeWorker.take(messages);
  }

  /** All messages not taken yet, once the call is over. */
  public List<A> rest() {
    status();
    List<A> rest = new ArrayList<>();
    messages.drainTo(rest);
    return rest;
  }

  public int arrived() {
    return messages.size();
  }

  public boolean isOver() {
    return closed.getCount() == 0;
  }

  /** The status, once the call is over. */
  public Status status() {
    try {
      if (!closed.await(30, TimeUnit.SECONDS)) {
        throw new AssertionError("the call is not over after 30 s");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
    return status;
  }

  public Metadata trailers() {
    status();
    return trailers;
  }

  /** The text of all deltas in these messages. */
  public static String text(List<GenerateResponse> messages) {
    StringBuilder text = new StringBuilder();
    messages.forEach(m -> text.append(m.getDelta().getText()));
    return text.toString();
  }

  @Override
  public void onMessage(A message) {
    messages.add(message);
  }

  @Override
  public void onClose(Status closedWith, Metadata closedTrailers) {
    status = closedWith;
    trailers = closedTrailers;
    closed.countDown();
  }
}
