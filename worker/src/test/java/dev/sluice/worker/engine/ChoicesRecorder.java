package dev.sluice.worker.engine;

import dev.sluice.common.error.Refusal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Keeps what a listener hears of several choices. */
class ChoicesRecorder implements GenerationListener {
  final Map<Integer, List<Integer>> tokens = new TreeMap<>();
  final Map<Integer, FinishCause> causes = new TreeMap<>();
  @Nullable PrefillSummary prefill;
  private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();

  /** How the task ended. */
  record Outcome(Optional<Refusal> refusal, GenerationSummary summary) {}

  @Override
  public void onPrefilled(PrefillSummary summary) {
    prefill = summary;
  }

  @Override
  public void onToken(int choice, int tokenId, boolean ending, long nanos) {
    if (causes.containsKey(choice)) {
      throw new IllegalStateException("choice " + choice + " has ended");
    }
    tokens.computeIfAbsent(choice, _ -> new ArrayList<>()).add(tokenId);
  }

  @Override
  public void onChoiceFinished(int choice, FinishCause cause) {
    if (causes.put(choice, cause) != null) {
      throw new IllegalStateException("choice " + choice + " ended twice");
    }
  }

  @Override
  public void onComplete(GenerationSummary summary) {
    outcome.complete(new Outcome(Optional.empty(), summary));
  }

  @Override
  public void onFailed(Refusal refusal, GenerationSummary summary) {
    outcome.complete(new Outcome(Optional.of(refusal), summary));
  }

  Outcome await() throws Exception {
    return outcome.get(60, TimeUnit.SECONDS);
  }
}
