package dev.sluice.client;

import dev.sluice.v1.Finished;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.Started;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The messages of one {@code Generate} call, as they come. Can be read once; {@link #close} cancels
 * the call if it has not ended, which stops the generation on the server.
 *
 * <p>A stream whose router is lost goes on at another one, as the client's {@link RetryPolicy}
 * says: the reader notices a pause, and nothing else.
 *
 * <p>At most {@value #WINDOW} messages wait here: more are asked for only as they are read, so that
 * a slow reader slows its own stream and nothing else (gRPC flow control).
 *
 * <p>Threading: one reader thread, which may be virtual; it also makes the call again. {@link
 * #close} and {@link #cancel} from any thread.
 */
public final class TokenStream implements Iterable<GenerateResponse>, AutoCloseable {
  static final int WINDOW = 16;

  private sealed interface Event {}

  private record Message(GenerateResponse response) implements Event {}

  private record End(Status status, Metadata trailers) implements Event {}

  private final Endpoints endpoints;
  private final GenerateRequest request;
  private final CallOptions options;
  private final Recovery recovery;
  private final Context context = Context.current(); // of every attempt
  private final Received received;
  // Of one attempt at a time. Unbounded by type, bounded by WINDOW: putting never blocks the
  // network thread.
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

  private final Object lock = new Object();
  private Optional<ClientCall<?, ?>> current = Optional.empty(); // guarded by lock
  private Optional<Status> cancelled = Optional.empty(); // guarded by lock

  // Reader thread only.
  private Attempt attempt;
  private @Nullable GenerateResponse next;
  private @Nullable End end;
  private @Nullable Started started;
  private @Nullable Finished finished;

  private TokenStream(
      Endpoints endpoints, GenerateRequest request, CallOptions options, Recovery recovery) {
    this.endpoints = endpoints;
    this.request = request;
    this.options = options;
    this.recovery = recovery;
    received = new Received(request, System::nanoTime);
    attempt = new Attempt(endpoints.pick(Optional.empty()));
  }

  static TokenStream start(
      Endpoints endpoints, GenerateRequest request, CallOptions options, Recovery recovery) {
    TokenStream stream = new TokenStream(endpoints, request, options, recovery);
    stream.attempt.start(request);
    return stream;
  }

  /** One call; the next is made only after its end was taken from the queue. */
  private final class Attempt extends ClientCall.Listener<GenerateResponse> {
    private final Endpoint endpoint;
    private final ClientCall<GenerateRequest, GenerateResponse> call;
    private boolean delivered; // reader thread only

    Attempt(Endpoint endpoint) {
      this.endpoint = endpoint;
      call = endpoint.channel().newCall(GenerationServiceGrpc.getGenerateMethod(), options);
    }

    void start(GenerateRequest message) {
      call.start(this, new Metadata());
      call.request(WINDOW);
      call.sendMessage(message);
      call.halfClose();
      Optional<Status> stopped;
      synchronized (lock) {
        current = Optional.of(call);
        stopped = cancelled;
      }
      stopped.ifPresent(status -> call.cancel(status.getDescription(), status.getCause()));
    }

    @Override
    public void onMessage(GenerateResponse message) {
      endpoint.answered();
      events.add(new Message(message));
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      events.add(new End(status, trailers));
    }
  }

  /** The id under which the request runs. */
  public String requestId() {
    return request.getRequestId();
  }

  /**
   * Waits for the next message.
   *
   * @return empty when the stream has ended well
   * @throws SluiceException if it failed, was cancelled, or the thread was interrupted
   */
  public Optional<GenerateResponse> next() {
    while (end == null) {
      switch (take()) {
        case Message(GenerateResponse response) -> {
          Optional<GenerateResponse> accepted = accept(response);
          if (accepted.isPresent()) {
            return accepted;
          }
        }
        case End e -> {
          end = goOn(e).orElse(null);
        }
      }
    }
    if (!end.status().isOk()) {
      throw SluiceException.of(end.status(), end.trailers(), requestId());
    }
    return Optional.empty();
  }

  private Event take() {
    try {
      return events.take();
    } catch (InterruptedException e) {
      return interrupted(e);
    }
  }

  private End interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    Status status =
        Status.CANCELLED.withDescription("the reading thread was interrupted").withCause(e);
    cancel(status);
    return new End(status, new Metadata());
  }

  /** What the reader gets; empty if the message has ended the stream. */
  private Optional<GenerateResponse> accept(GenerateResponse response) {
    long expected = received.lastSequence() + 1;
    if (!received.take(response)) {
      Status fault =
          Status.INTERNAL.withDescription(
              "message " + response.getSequence() + " (expected: " + expected + ")");
      cancel(fault);
      end = new End(fault, new Metadata());
      return Optional.empty();
    }
    attempt.call.request(1);
    attempt.delivered = true;
    recovery.progressed();
    GenerateResponse accepted = response;
    if (response.hasFinished() && received.resumes() > 0) {
      Finished whole = received.whole(response.getFinished());
      accepted = response.toBuilder().setFinished(whole).build();
    }
    note(accepted);
    return Optional.of(accepted);
  }

  /** Makes the call again after an attempt has ended; or tells how the stream ends. */
  private Optional<End> goOn(End ended) {
    synchronized (lock) {
      current = Optional.empty();
      if (cancelled.isPresent() && !ended.status().isOk()) {
        return Optional.of(new End(cancelled.get(), ended.trailers()));
      }
    }
    if (finished != null) { // the answer is complete, whatever became of its router
      return Optional.of(new End(Status.OK, ended.trailers()));
    }
    if (ended.status().isOk() || endpoints.isClosed() || context.isCancelled()) {
      return Optional.of(ended);
    }
    if (ended.status().getCode() == Status.Code.UNAVAILABLE) {
      attempt.endpoint.lost();
    }
    received.lost();
    Optional<Duration> pause =
        recovery
            .failed(ended.status(), ended.trailers(), received.begun(), attempt.delivered)
            .filter(wait -> UnaryCall.isWithin(options.getDeadline(), wait));
    if (pause.isEmpty()) {
      return Optional.of(ended);
    }
    Optional<End> stopped = await(pause.get());
    if (stopped.isEmpty()) {
      context.run(() -> {
        attempt = new Attempt(endpoints.pick(Optional.of(attempt.endpoint)));
        attempt.start(received.again(request));
      });
    }
    return stopped;
  }

  /** Waits; a cancel ends the wait, and the stream. */
  private Optional<End> await(Duration pause) {
    try {
      return switch (events.poll(pause.toNanos(), TimeUnit.NANOSECONDS)) {
        case null -> Optional.empty();
        case End stop -> Optional.of(stop);
        case Message late ->
            throw new IllegalStateException("a message without a call: " + late.response());
      };
    } catch (InterruptedException e) {
      return Optional.of(interrupted(e));
    }
  }

  private void note(GenerateResponse response) {
    if (response.hasStarted()) {
      started = response.getStarted();
    } else if (response.hasFinished()) {
      finished = response.getFinished();
    }
  }

  /** The messages that are still to come; {@code hasNext} waits and throws like {@link #next}. */
  @Override
  public Iterator<GenerateResponse> iterator() {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        if (next == null) {
          next = TokenStream.this.next().orElse(null);
        }
        return next != null;
      }

      @Override
      public GenerateResponse next() {
        if (!hasNext() || next == null) {
          throw new NoSuchElementException("the stream has ended");
        }
        GenerateResponse message = next;
        next = null;
        return message;
      }
    };
  }

  /** The pieces of text of the first choice that are still to come; never empty strings. */
  public Iterable<String> texts() {
    Iterator<GenerateResponse> messages = iterator();
    return () -> new Texts(messages);
  }

  private static final class Texts implements Iterator<String> {
    private final Iterator<GenerateResponse> messages;
    private String text = "";

    Texts(Iterator<GenerateResponse> messages) {
      this.messages = messages;
    }

    @Override
    public boolean hasNext() {
      while (text.isEmpty() && messages.hasNext()) {
        GenerateResponse message = messages.next();
        if (message.getDelta().getChoice() == 0) {
          text = message.getDelta().getText();
        }
      }
      return !text.isEmpty();
    }

    @Override
    public String next() {
      if (!hasNext()) {
        throw new NoSuchElementException("the stream has ended");
      }
      String piece = text;
      text = "";
      return piece;
    }
  }

  /** Reads to the end and returns the rest of the first choice's text. */
  public String readText() {
    StringBuilder text = new StringBuilder();
    for (String piece : texts()) {
      text.append(piece);
    }
    return text.toString();
  }

  /** How the request is run; empty until that message was read. */
  public Optional<Started> started() {
    return Optional.ofNullable(started);
  }

  /** Usage and timings; empty until that message was read. */
  public Optional<Finished> finished() {
    return Optional.ofNullable(finished);
  }

  /** Times that the stream went on at a router after it had lost one. Reader thread only. */
  public int resumes() {
    return received.resumes();
  }

  /** Ends the call; the reader gets CANCELLED after what has already arrived. */
  public void cancel() {
    cancel(Status.CANCELLED.withDescription("cancelled by the caller"));
  }

  @Override
  public void close() {
    cancel(Status.CANCELLED.withDescription("closed by the caller"));
  }

  private void cancel(Status status) {
    Optional<ClientCall<?, ?>> call;
    synchronized (lock) {
      if (cancelled.isPresent()) {
        return;
      }
      cancelled = Optional.of(status);
      call = current;
    }
    if (call.isPresent()) {
      call.get().cancel(status.getDescription(), status.getCause());
    } else {
      events.add(new End(status, new Metadata())); // between two attempts
    }
  }
}
