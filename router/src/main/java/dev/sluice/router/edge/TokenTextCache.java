package dev.sluice.router.edge;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.common.tokenizer.TokenBytes;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.common.tokenizer.TokenizerException;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.prompt.TokenizerFetch;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * What the tokens of the fleet's models say, read out of their tokenizers, which a worker sends.
 * The latest few are kept.
 *
 * <p>Threading: thread-safe. One caller at a time fetches, which takes as long as a worker needs to
 * send a tokenizer: not for event loops.
 */
public final class TokenTextCache {
  private static final int KEPT = 4;
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  /** What became of a tokenizer. */
  private sealed interface Vocabulary {
    TokenTexts texts();

    /** Its tokens have bytes. */
    record Decoded(TokenBytes bytes) implements Vocabulary {
      @Override
      public TokenTexts texts() {
        return token -> token < bytes.size() ? bytes.of(token) : new byte[0];
      }
    }

    /** It is of a kind whose tokens do not. */
    record Undecodable(String why) implements Vocabulary {
      @Override
      public TokenTexts texts() {
        throw new RefusalException(
            new Refusal.Unimplemented(
                "logprobs", "the model's tokens cannot be told as text: " + why));
      }
    }
  }

  private final Supplier<FleetSnapshot> fleet;
  private final Map<String, Vocabulary> byFingerprint = // guarded by this
      new LinkedHashMap<>(KEPT, 0.75f, /* accessOrder= */ true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Vocabulary> eldest) {
          return size() > KEPT;
        }
      };

  public TokenTextCache(Supplier<FleetSnapshot> fleet) {
    this.fleet = fleet;
  }

  /**
   * Of a model.
   *
   * @param model id or alias; empty: any
   * @throws RefusalException if no worker can be asked
   */
  public synchronized TokenTexts of(String model) {
    RefusalException last = unavailable("no worker of model \"" + model + "\" is ready");
    for (WorkerView worker : fleet.get().workers()) {
      if (worker.status() != WorkerStatus.READY || !worker.answersTo(model)) {
        continue;
      }
      try {
        return read(worker).texts();
      } catch (RefusalException e) {
        last = e; // another one may answer
      }
    }
    throw last;
  }

  private Vocabulary read(WorkerView worker) {
    String fingerprint = worker.report().map(r -> r.model().getTokenizerFingerprint()).orElse("");
    Vocabulary known = byFingerprint.get(fingerprint);
    if (known != null) {
      return known;
    }
    TokenizerBundle bundle = fetch(worker);
    Vocabulary read;
    try {
      read = new Vocabulary.Decoded(TokenBytes.read(bundle));
    } catch (TokenizerException e) {
      read =
          new Vocabulary.Undecodable(
              String.valueOf(e.getMessage())); // and so it will be the next time
    }
    if (!fingerprint.isEmpty()) {
      byFingerprint.put(fingerprint, read);
    }
    return read;
  }

  private static TokenizerBundle fetch(WorkerView worker) {
    try {
      return TokenizerFetch.from(worker.link().channel())
          .get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw unavailable("worker " + worker.name() + " sent no tokenizer: " + e.getMessage());
    } catch (TimeoutException _) {
      throw unavailable(
          "worker " + worker.name() + " sent no tokenizer within " + LIMIT.toSeconds() + " s");
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw unavailable("the router stops");
    }
  }

  private static RefusalException unavailable(String message) {
    return new RefusalException(new Refusal.Unavailable("NO_TOKENIZER", message, RETRY_AFTER));
  }
}
