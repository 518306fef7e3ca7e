package dev.sluice.client;

import dev.sluice.v1.Finished;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Started;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * The messages of one {@code Generate} call, as they come. Can be read once; {@link #close} cancels
 * the call if it has not ended, which stops the generation on the server.
 *
 * <p>At most {@value #WINDOW} messages wait here: more are asked for only as they are read, so that
 * a slow reader slows its own stream and nothing else (gRPC flow control).
 *
 * <p>Threading: one reader thread, which may be virtual; {@link #close} and {@link #cancel} from
 * any thread.
 */
public final class TokenStream implements Iterable<GenerateResponse>, AutoCloseable {
  static final int WINDOW = 16;

  private sealed interface Event {}

  private record Message(GenerateResponse response) implements Event {}

  private record End(Status status, Metadata trailers) implements Event {}

  private final ClientCall<GenerateRequest, GenerateResponse> call;
  private final String requestId;
  // Unbounded by type, bounded by WINDOW: putting never blocks the network thread.
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

  // Reader thread only.
  private @Nullable GenerateResponse next;
  private @Nullable End end;
  private @Nullable Started started;
  private @Nullable Finished finished;

  private TokenStream(ClientCall<GenerateRequest, GenerateResponse> call, String requestId) {
    this.call = call;
    this.requestId = requestId;
  }

  static TokenStream start(
      ClientCall<GenerateRequest, GenerateResponse> call, GenerateRequest request) {
    TokenStream stream = new TokenStream(call, request.getRequestId());
    call.start(stream.new Listener(), new Metadata());
    call.request(WINDOW);
    call.sendMessage(request);
    call.halfClose();
    return stream;
  }

  private final class Listener extends ClientCall.Listener<GenerateResponse> {
    @Override
    public void onMessage(GenerateResponse message) {
      events.add(new Message(message));
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      events.add(new End(status, trailers));
    }
  }

  /** The id under which the request runs. */
  public String requestId() {
    return requestId;
  }

  /**
   * Waits for the next message.
   *
   * @return empty when the stream has ended well
   * @throws SluiceException if it failed, was cancelled, or the thread was interrupted
   */
  public Optional<GenerateResponse> next() {
    if (end == null) {
      switch (take()) {
        case Message(GenerateResponse response) -> {
          call.request(1);
          note(response);
          return Optional.of(response);
        }
        case End e -> end = e;
      }
    }
    if (!end.status().isOk()) {
      throw SluiceException.of(end.status(), end.trailers(), requestId);
    }
    return Optional.empty();
  }

  private Event take() {
    try {
      return events.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      call.cancel("the reading thread was interrupted", e);
      return new End(
          Status.CANCELLED.withDescription("the reading thread was interrupted").withCause(e),
          new Metadata());
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

  /** Ends the call; the reader gets CANCELLED after what has already arrived. */
  public void cancel() {
    call.cancel("cancelled by the caller", null);
  }

  @Override
  public void close() {
    call.cancel("closed by the caller", null);
  }
}
