package dev.sluice.worker.engine;

import dev.sluice.common.error.RefusalException;
import dev.sluice.worker.engine.EngineSnapshot.State;
import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * The door between other threads and the engine thread: bounds what waits, and lets nothing in any
 * more once the engine ends. The command queue needs no bound of its own: each request that was let
 * in sends one command, one when it is cancelled, and one for each of its choices.
 *
 * <p>Threading: any thread; one lock, held for a few instructions, taken a few times per request
 * and never per token.
 */
final class Intake {
  private final EngineConfig config;
  private final LinkedBlockingQueue<EngineCommand> commands = new LinkedBlockingQueue<>();
  private State state = State.SERVING;
  private boolean closing;
  private volatile long retryAfterNanos; // for those who find the queue full
  // requests that have not had their first step
  private int waitingRequests;
  private long waitingTokens;
  // of these, requests that the engine thread does not know yet
  private int unseenRequests;
  private long unseenTokens;

  /** What {@link EngineLoop} cannot know for its snapshot. */
  record Unseen(State state, int requests, long tokens) {}

  Intake(EngineConfig config) {
    this.config = config;
    this.retryAfterNanos = config.retryAfter().toNanos();
  }

  /**
   * Lets a request in.
   *
   * @throws RefusalException if the queue is full or the engine takes no requests
   */
  synchronized void submit(Request request) {
    if (state != State.SERVING) {
      throw new RefusalException(Refusals.notServing(state, config.retryAfter()));
    }
    int tokens = request.promptLength();
    if (waitingRequests >= config.maxWaitingRequests()
        || (waitingRequests > 0 && waitingTokens + tokens > config.maxWaitingTokens())) {
      throw new RefusalException(
          Refusals.queueFull(
              tokens,
              waitingRequests,
              config.maxWaitingRequests(),
              waitingTokens,
              config.maxWaitingTokens(),
              Duration.ofNanos(retryAfterNanos)));
    }
    waitingRequests++;
    waitingTokens += tokens;
    unseenRequests++;
    unseenTokens += tokens;
    commands.add(new EngineCommand.Submit(request));
  }

  /** Sends a command that is not a {@link EngineCommand.Submit}. */
  void send(EngineCommand command) {
    commands.add(command);
  }

  /** Takes no requests from now on, or takes them again; without effect once closing. */
  synchronized void drain(boolean draining, EngineCommand command) {
    if (!closing && (state == State.SERVING || state == State.DRAINING)) {
      state = draining ? State.DRAINING : State.SERVING;
      commands.add(command);
    }
  }

  /** Takes no requests from now on, for good. */
  synchronized void close(EngineCommand.Close command) {
    if (!closing && (state == State.SERVING || state == State.DRAINING)) {
      closing = true;
      state = State.DRAINING;
      commands.add(command);
    }
  }

  /** The engine thread ends. After this no {@link EngineCommand.Submit} appears in the queue. */
  synchronized void end(State last) {
    state = last;
  }

  /** The next command, if there is one. */
  @Nullable EngineCommand poll() {
    return commands.poll();
  }

  /** The next command, once there is one. */
  EngineCommand take() throws InterruptedException {
    return commands.take();
  }

  /** What those are told from now on who find the queue full. */
  void retryAfter(long nanos) {
    retryAfterNanos = nanos;
  }

  /** The engine thread knows these requests, and its snapshot shows them. */
  synchronized void seen(int requests, long tokens) {
    unseenRequests -= requests;
    unseenTokens -= tokens;
  }

  /** A request had its first step, or ended without one. */
  synchronized void release(Request request) {
    waitingRequests--;
    waitingTokens -= request.promptLength();
  }

  synchronized Unseen unseen() {
    return new Unseen(state, unseenRequests, unseenTokens);
  }
}
