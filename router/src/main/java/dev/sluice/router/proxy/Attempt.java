package dev.sluice.router.proxy;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.sluice.router.fleet.Charge;
import dev.sluice.router.fleet.Occupant;
import dev.sluice.router.fleet.WorkerBreaker;
import dev.sluice.router.fleet.WorkerView;
import io.grpc.ClientCall;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.opentelemetry.api.trace.Span;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One call to one worker, and the way of its messages to the client.
 *
 * <p>Flow control: {@code messagesAhead} messages are asked for at the start, then as many as were
 * passed on, a part of them at a time, but only while the client's side takes more; the rest is
 * owed, and asked for when it does. A slow client so stops the worker's stream, and at most {@code
 * messagesAhead} messages and grpc-java's own 32 KiB wait here.
 *
 * <p>Threading: the listener is called by the worker channel's event loop, one callback at a time,
 * and drives the call (see {@link ForwardedCall}) until {@link #onClose}: after that this is no
 * longer the call's attempt, and gRPC delivers nothing more of it. {@link #clientReady}, {@link
 * #stop} and what an {@link Occupant} can do come from any thread. The path of a message takes no
 * lock and allocates nothing but the message.
 */
final class Attempt<R> extends ClientCall.Listener<byte[]> implements Stoppable, Occupant {
  private final ForwardedCall<R> owner;
  private final WorkerView target;
  private final WorkerBreaker.Pass pass; // driver only
  private final Charge charge;
  private final ClientCall<R, byte[]> worker;
  private final Span span;
  private final ServerCall<R, byte[]> client;
  private final boolean streaming;

  private final Object lock = new Object();
  private boolean started; // guarded by lock
  private Optional<String> stopReason = Optional.empty(); // guarded by lock
  private Optional<String> stall = Optional.empty(); // guarded by lock
  private volatile boolean leaving; // what still comes is dropped

  private final AtomicInteger owed = new AtomicInteger();
  private final AtomicLong received = new AtomicLong(); // one writer: the listener
  private final int batch; // messages that are asked for at a time
  private int passed; // since then
  private boolean delivered;
  private Optional<byte[]> held = Optional.empty(); // a unary answer, until its status is known
  private Optional<Status> fault = Optional.empty();

  Attempt(
      ForwardedCall<R> owner,
      WorkerView target,
      WorkerBreaker.Pass pass,
      Charge charge,
      ClientCall<R, byte[]> worker,
      Span span) {
    this.owner = owner;
    this.target = target;
    this.pass = pass;
    this.charge = charge;
    this.worker = worker;
    this.span = span;
    this.client = owner.client();
    this.batch = Math.max(1, owner.messagesAhead() / 4);
    this.streaming = !owner.method().descriptor().getType().serverSendsOneMessage();
  }

  WorkerView target() {
    return target;
  }

  void start(Metadata headers, R request) {
    target.link().enter(this);
    worker.start(this, headers);
    int ahead = owner.messagesAhead();
    if (owner.begun() && !client.isReady()) {
      // The client has not taken yet what the worker before has sent.
      owed.set(ahead - 1);
      ahead = 1;
    }
    worker.request(ahead);
    worker.sendMessage(request);
    worker.halfClose();
    Optional<String> stopped;
    synchronized (lock) {
      started = true;
      stopped = stopReason.or(() -> stall);
    }
    stopped.ifPresent(why -> worker.cancel(why, null));
  }

  /** Gives back what the selection charged; the call was over before it could start. */
  void abandon() {
    pass.over();
    charge.release();
    owner.roomFreed();
    owner.telemetry().attempted(span, target, "cancelled", Status.CANCELLED);
  }

  @Override
  public void stop(String why) {
    synchronized (lock) {
      stopReason = Optional.of(why);
      leaving = true;
      if (!started) {
        return; // start() will see it: a call must not be cancelled before it is started
      }
    }
    worker.cancel(why, null);
  }

  @Override
  public void leave(String why) {
    synchronized (lock) {
      if (leaving) {
        return;
      }
      stall = Optional.of(why);
      leaving = true;
      if (!started) {
        return;
      }
    }
    worker.cancel(why, null);
  }

  @Override
  public String requestId() {
    return owner.requestId();
  }

  @Override
  public long received() {
    return received.get();
  }

  @Override
  public boolean awaiting() {
    return owner.streamsTokens() && owed.get() == 0;
  }

  /** The client's side takes messages again: asks for what is owed. */
  void clientReady() {
    int count = owed.getAndSet(0);
    if (count > 0) {
      worker.request(count);
    }
  }

  @Override
  public void onMessage(byte[] message) {
    if (leaving || fault.isPresent()) {
      return; // cancelled; this was on its way
    }
    if (!streaming) {
      held = Optional.of(message);
      return;
    }
    try {
      owner.check().take(message);
    } catch (StreamCheck.Malformed e) {
      fault =
          Optional.of(
              Status.INTERNAL.withDescription("worker " + target.name() + " sent " + e.what()));
      worker.cancel(e.what(), null);
      return;
    }
    received.lazySet(received.getPlain() + 1);
    if (!delivered) {
      delivered = true;
      charge.prefilled(); // what a worker sends first, it sends with the first token
      owner.roomFreed();
      pass.answered();
      owner.passingOn(this);
    }
    client.sendMessage(owner.check().finished() ? completed(message) : message);
    passed++;
    if (!client.isReady()) {
      owed.addAndGet(passed);
      passed = 0;
      if (client.isReady()) { // it became ready between the two: nobody else would ask
        clientReady();
      }
    } else if (passed >= batch) {
      worker.request(passed);
      passed = 0;
    }
  }

  private byte[] completed(byte[] finished) {
    try {
      return owner.complete(finished);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("the check has parsed it", e);
    }
  }

  @Override
  public void onClose(Status reported, Metadata trailers) {
    target.link().leave(this);
    charge.release();
    owner.roomFreed();
    Status status = fault.orElse(reported);
    boolean complete = owner.check().finished(); // then whatever became of the worker since
    if (!complete && status.isOk()) {
      status = deliver();
      complete = status.isOk();
    }
    if (complete) {
      pass.over();
      owner.telemetry().attempted(span, target, "answered", Status.OK);
      owner.close(Status.OK, reported.isOk() ? trailers : new Metadata());
      return;
    }
    Failure failure = judge(status, trailers);
    switch (failure.kind()) {
      case DIED, UNREACHABLE -> pass.failed();
      case DRAINED, STALLED, BUSY, FINAL -> pass.over();
    }
    String outcome =
        switch (failure.kind()) {
          case DIED, UNREACHABLE -> delivered ? "lost" : "failed";
          case FINAL ->
              failure.status().getCode() == Status.Code.CANCELLED ? "cancelled" : "refused";
          case DRAINED, STALLED, BUSY -> failure.kind().label();
        };
    owner.telemetry().attempted(span, target, outcome, failure.status());
    owner.failed(target, failure, delivered);
  }

  private Failure judge(Status status, Metadata trailers) {
    boolean stopped;
    Optional<String> stalled;
    synchronized (lock) {
      stopped = stopReason.isPresent();
      stalled = stall;
    }
    if (stalled.isPresent() && !stopped) {
      return Failure.stalled(target.name(), stalled.get());
    }
    Status told = status;
    if (status.getCode() == Status.Code.CANCELLED && !stopped && !Trailers.explain(trailers)) {
      // A server that is torn down resets its streams, which gRPC tells as CANCELLED. Nobody here
      // asked for that, and no worker said it: the worker is lost.
      told = Status.UNAVAILABLE.withDescription("stream reset: " + status.getDescription());
    }
    boolean reached = worker.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR) != null;
    return Failure.of(target.name(), told, trailers, reached);
  }

  /** The worker says that its answer is complete: OK if so; sends a unary answer. */
  private Status deliver() {
    if (streaming) {
      return Status.INTERNAL.withDescription("the stream ended without Finished");
    }
    if (held.isEmpty()) {
      return Status.INTERNAL.withDescription("no answer (expected: 1 message)");
    }
    try {
      byte[] answer = owner.complete(held.get());
      delivered = true;
      pass.answered();
      owner.passingOn(this);
      client.sendMessage(answer);
      return Status.OK;
    } catch (InvalidProtocolBufferException e) {
      return Status.INTERNAL.withDescription("the answer cannot be parsed").withCause(e);
    }
  }
}
