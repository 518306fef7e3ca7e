package dev.sluice.app.system;

import dev.sluice.app.system.ChaosRequests.Choice;
import dev.sluice.client.SluiceClient;
import dev.sluice.v1.GenerateRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Sends the same requests again and again, some at a time, and notes what went wrong.
 *
 * <p>Threading: any thread.
 */
final class ChaosLoad {
  private final SluiceClient client;
  private final List<GenerateRequest> requests;
  private final int concurrency;
  private final Set<Integer> running = ConcurrentHashMap.newKeySet();
  private final List<String> wrong = new ArrayList<>(); // guarded by itself

  ChaosLoad(SluiceClient client, List<GenerateRequest> requests, int concurrency) {
    this.client = client;
    this.requests = requests;
    this.concurrency = concurrency;
  }

  /** Takes the answers, one at a time. */
  interface Answers {
    /**
     * An answer.
     *
     * @param turn how many were sent before it; its request is this modulo their number
     */
    void take(int turn, List<Choice> answer, long nanos);
  }

  /** Sends each once, and again from the first while there is time. The latch opens at the end. */
  CountDownLatch send(long untilNanos, Answers answers) {
    AtomicInteger next = new AtomicInteger();
    CountDownLatch done = new CountDownLatch(concurrency);
    IntStream.range(0, concurrency)
        .forEach(_ ->
            Thread.startVirtualThread(() -> {
              try {
                for (int turn = next.getAndIncrement();
                    turn < requests.size()
                        || (untilNanos != 0 && System.nanoTime() - untilNanos < 0);
                    turn = next.getAndIncrement()) {
                  send(turn, answers);
                }
              } finally {
                done.countDown();
              }
            }));
    return done;
  }

  private void send(int turn, Answers answers) {
    running.add(turn);
    long start = System.nanoTime();
    try {
      List<Choice> answer = ChaosRequests.ask(client, requests.get(turn % requests.size()));
      synchronized (answers) {
        answers.take(turn, answer, System.nanoTime() - start);
      }
    } catch (RuntimeException | AssertionError e) {
      note("request " + turn + ": " + e);
    } finally {
      running.remove(turn);
    }
  }

  /** Turns whose answers are not complete. */
  Set<Integer> running() {
    return Set.copyOf(running);
  }

  void note(String what) {
    synchronized (wrong) {
      wrong.add(what);
    }
  }

  /** Notes an answer that is not the expected one. */
  void compare(int turn, List<Choice> answer, List<List<Choice>> expected) {
    List<Choice> right = expected.get(turn % requests.size());
    if (!answer.equals(right)) {
      note("request " + turn + ": " + answer + " instead of " + right);
    }
  }

  List<String> wrong() {
    synchronized (wrong) {
      return List.copyOf(wrong);
    }
  }
}
