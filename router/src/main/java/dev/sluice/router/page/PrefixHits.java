package dev.sluice.router.page;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * How much of the prompts of recent requests was found in caches.
 *
 * <p>Threading: one thread; immutable once made.
 */
final class PrefixHits {
  private final Share all = new Share();
  private final Map<String, Share> byWorker = new HashMap<>();

  private static final class Share {
    private long prompt;
    private long cached;

    void add(RequestRecord request) {
      prompt += request.promptTokens();
      cached += request.cachedTokens();
    }

    OptionalDouble value() {
      return prompt == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) cached / prompt);
    }
  }

  /** Of those that were answered; what a resumed one found counts for the worker that began it. */
  PrefixHits(List<RequestRecord> requests) {
    for (RequestRecord request : requests) {
      if (request.status().equals("OK") && !request.attempts().isEmpty()) {
        all.add(request);
        byWorker.computeIfAbsent(beganAt(request), _ -> new Share()).add(request);
      }
    }
  }

  private static String beganAt(RequestRecord request) {
    for (RequestRecord.Attempt attempt : request.attempts()) {
      if (attempt.firstNanos().isPresent()) {
        return attempt.worker();
      }
    }
    return request.attempts().getLast().worker();
  }

  /** Of all workers: 0 to 1. */
  OptionalDouble all() {
    return all.value();
  }

  /** Of the worker with this id. */
  OptionalDouble of(String worker) {
    @Nullable Share share = byWorker.get(worker);
    return share == null ? OptionalDouble.empty() : share.value();
  }
}
