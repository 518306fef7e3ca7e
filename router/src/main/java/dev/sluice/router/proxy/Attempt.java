package dev.sluice.router.proxy;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.v1.GenerateResponse;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.opentelemetry.api.trace.Span;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One call to one worker, and the way of its messages to the client.
 *
 * <p>Flow control: {@code messagesAhead} messages are asked for at the start, then one for each
 * that was passed on, but only while the client's side takes more; the rest is owed, and asked for
 * when it does. A slow client so stops the worker's stream, and at most {@code messagesAhead}
 * messages and grpc-java's own 32 KiB wait here.
 *
 * <p>Threading: the listener is called by the worker channel's event loop, one callback at a time,
 * and drives the call (see {@link ForwardedCall}); {@link #clientReady} and {@link #stop} come from
 * any thread. The path of a message takes no lock and allocates nothing but the message.
 */
final class Attempt<R> extends ClientCall.Listener<byte[]> implements Stoppable {
  private final ForwardedCall<R> owner;
  private final WorkerView target;
  private final ClientCall<R, byte[]> worker;
  private final Span span;
  private final ServerCall<R, byte[]> client;
  private final boolean streaming;

  private final Object lock = new Object();
  private boolean started; // guarded by lock
  private Optional<String> stopReason = Optional.empty(); // guarded by lock

  private final AtomicInteger owed = new AtomicInteger();
  private final EventScan scan = new EventScan();
  private boolean passingOn;
  private boolean tokenSeen;
  private boolean finished;
  private long lastSequence;
  private Optional<byte[]> held = Optional.empty(); // a unary answer, until its status is known
  private Optional<Status> fault = Optional.empty();

  Attempt(ForwardedCall<R> owner, WorkerView target, ClientCall<R, byte[]> worker, Span span) {
    this.owner = owner;
    this.target = target;
    this.worker = worker;
    this.span = span;
    this.client = owner.client();
    this.streaming = !owner.method().descriptor().getType().serverSendsOneMessage();
  }

  void start(Metadata headers, R request) {
    worker.start(this, headers);
    worker.request(owner.messagesAhead());
    worker.sendMessage(request);
    worker.halfClose();
    Optional<String> stopped;
    synchronized (lock) {
      started = true;
      stopped = stopReason;
    }
    stopped.ifPresent(why -> worker.cancel(why, null));
  }

  /** Gives back what the selection charged; the call was over before it could start. */
  void abandon() {
    target.link().release();
    owner.telemetry().attempted(span, target, "cancelled", Status.CANCELLED);
  }

  @Override
  public void stop(String why) {
    synchronized (lock) {
      stopReason = Optional.of(why);
      if (!started) {
        return; // start() will see it: a call must not be cancelled before it is started
      }
    }
    worker.cancel(why, null);
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
    if (!streaming) {
      held = Optional.of(message);
      return;
    }
    if (fault.isPresent()) {
      return; // cancelled; these were on their way
    }
    if (!scan.read(message) || scan.sequence() != lastSequence + 1) {
      fail("message " + scan.sequence() + " (expected: " + (lastSequence + 1) + ", well-formed)");
      return;
    }
    lastSequence = scan.sequence();
    byte[] outgoing = message;
    int event = scan.event();
    if (event == EventScan.DELTA) {
      if (!tokenSeen) {
        tokenSeen = true;
        owner.telemetry().firstToken(owner.nanosSinceArrival());
      }
    } else if (event == EventScan.FINISHED || event == EventScan.CHOICE_FINISHED) {
      try {
        outgoing = ending(event, message);
      } catch (InvalidProtocolBufferException e) {
        fail("message " + lastSequence + " cannot be parsed");
        return;
      }
    }
    if (!passingOn) {
      passingOn = true;
      owner.passingOn(this);
    }
    client.sendMessage(outgoing);
    if (client.isReady()) {
      worker.request(1);
    } else {
      owed.incrementAndGet();
      if (client.isReady()) { // it became ready between the two: nobody else would ask
        clientReady();
      }
    }
  }

  private byte[] ending(int event, byte[] message) throws InvalidProtocolBufferException {
    if (event == EventScan.CHOICE_FINISHED) {
      owner
          .telemetry()
          .choiceFinished(GenerateResponse.parseFrom(message).getChoiceFinished().getReason());
      return message;
    }
    finished = true;
    return complete(message);
  }

  private byte[] complete(byte[] message) throws InvalidProtocolBufferException {
    Completion completion =
        owner.method().complete(message, owner.attempts(), owner.admissionWaitNanos());
    owner.telemetry().used(completion.usage());
    completion.finishReasons().forEach(owner.telemetry()::choiceFinished);
    return completion.message().toByteArray();
  }

  private void fail(String what) {
    fault =
        Optional.of(Status.INTERNAL.withDescription("worker " + target.name() + " sent " + what));
    worker.cancel(what, null);
  }

  @Override
  public void onClose(Status reported, Metadata trailers) {
    target.link().release();
    Status status = fault.orElseGet(() -> unlessLost(reported, trailers));
    if (status.isOk()) {
      status = deliver();
    }
    owner.telemetry().attempted(span, target, outcome(status), status);
    if (status.isOk()) {
      owner.close(status, trailers);
    } else if (passingOn) {
      owner.failedInMidStream(target, lastSequence, status, trailers);
    } else {
      owner.failedBeforeFirstMessage(target, status, trailers);
    }
  }

  /**
   * A server that is torn down resets its streams, which gRPC tells as CANCELLED. Nobody here asked
   * for that, and no worker said it: the worker is lost.
   */
  private Status unlessLost(Status reported, Metadata trailers) {
    if (reported.getCode() != Status.Code.CANCELLED || Trailers.explain(trailers)) {
      return reported;
    }
    synchronized (lock) {
      return stopReason.isPresent()
          ? reported
          : Status.UNAVAILABLE.withDescription("stream reset: " + reported.getDescription());
    }
  }

  /** The worker says that its answer is complete: OK if so; sends a unary answer. */
  private Status deliver() {
    if (streaming) {
      return finished
          ? Status.OK
          : Status.INTERNAL.withDescription("the stream ended without Finished");
    }
    if (held.isEmpty()) {
      return Status.INTERNAL.withDescription("no answer (expected: 1 message)");
    }
    try {
      byte[] answer = complete(held.get());
      passingOn = true;
      owner.passingOn(this);
      client.sendMessage(answer);
      return Status.OK;
    } catch (InvalidProtocolBufferException e) {
      return Status.INTERNAL.withDescription("the answer cannot be parsed").withCause(e);
    }
  }

  private String outcome(Status status) {
    if (status.isOk()) {
      return "answered";
    }
    if (status.getCode() == Status.Code.CANCELLED) {
      return "cancelled";
    }
    return switch (Verdict.of(status)) {
      case FAILED -> passingOn ? "lost" : "failed";
      case BUSY -> "busy";
      case FINAL -> "refused";
    };
  }
}
