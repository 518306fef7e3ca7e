package dev.sluice.router.page;

import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One browser that follows the page, by server-sent events. One that does not read misses updates,
 * and gets everything anew once it has read what was sent: no more than one event and the socket's
 * buffers ever wait for it.
 *
 * <p>Threading: {@link #next} and {@link #send} from the publisher's thread; events are written on
 * the event loop of the connection.
 */
final class Viewer {
  /** What it needs next. */
  enum State {
    /** Everything: it is new, or has missed something. */
    NEW,
    /** What is new. */
    CURRENT,
    /** Nothing for now: it has not read what was sent. */
    SLOW
  }

  private final HttpServerResponse response;
  private final Context loop;
  private final AtomicReference<State> state = new AtomicReference<>(State.NEW);

  /** Created on the event loop; the head of the answer is complete. */
  Viewer(HttpServerResponse response, Context loop) {
    this.response = response;
    this.loop = loop;
    response.drainHandler(_ -> state.compareAndSet(State.SLOW, State.NEW));
  }

  State next() {
    return state.get();
  }

  /** Sends an event, everything or what is new. */
  void send(byte[] event) {
    state.compareAndSet(State.NEW, State.CURRENT);
    loop.runOnContext(_ -> {
      if (response.ended() || response.closed()) {
        return;
      }
      if (response.writeQueueFull()) {
        state.set(State.SLOW);
        return;
      }
      response.write(Buffer.buffer(event));
    });
  }

  /** The page is over. */
  void end() {
    loop.runOnContext(_ -> {
      if (response.ended() || response.closed()) {
        return;
      }
      boolean stuck = response.writeQueueFull();
      response.end();
      if (stuck) {
        response.reset(); // nobody reads: do not wait for it
      }
    });
  }
}
