package dev.sluice.app.bench;

import dev.sluice.app.bench.Job.Turn;
import dev.sluice.client.SluiceClient;
import dev.sluice.client.SluiceException;
import dev.sluice.client.TokenStream;
import dev.sluice.v1.Delta;
import dev.sluice.v1.Finished;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.TokenIds;
import dev.sluice.v1.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;

/**
 * Sends requests and takes the time.
 *
 * <p>Threading: safe for use by many threads, each with a job of its own.
 */
final class Sender {
  private final SluiceClient client;
  private final GenerateRequest template;
  private final LongSupplier clock;
  private final IntConsumer onTokens;

  /**
   * @param template everything but prompt and length
   * @param clock nanoseconds since the start of the measurement
   * @param onTokens hears of tokens as they come
   */
  Sender(SluiceClient client, GenerateRequest template, LongSupplier clock, IntConsumer onTokens) {
    this.client = client;
    this.template = template;
    this.clock = clock;
    this.onTokens = onTokens;
  }

  /** A job that is being sent: the conversation so far. */
  final class Talk {
    private final String session;
    private List<Integer> conversation = List.of();

    private Talk(boolean goesOn) {
      session = goesOn ? UUID.randomUUID().toString() : "";
    }

    /** Sends the next request and waits for its answer. */
    Outcome send(Turn turn, long due) {
      conversation = Tokens.concat(conversation, turn.tokens());
      GenerateRequest.Builder request =
          template.toBuilder()
              .setSessionId(session)
              .setTokenIds(TokenIds.newBuilder().addAllIds(conversation));
      request.getStoppingBuilder().setMaxTokens(turn.outputTokens());
      Answer answer = new Answer(due);
      try (TokenStream stream = client.generate(request.build())) {
        for (GenerateResponse message : stream) {
          if (message.hasDelta()) {
            answer.add(message.getDelta());
          }
        }
        Usage usage = stream.finished().map(Finished::getUsage).orElse(Usage.getDefaultInstance());
        conversation = Tokens.concat(conversation, answer.tokens);
        return answer.outcome(usage, "");
      } catch (SluiceException e) {
        String reason = e.reason().map(r -> " " + r).orElse("");
        return answer.outcome(e.usage().orElse(Usage.getDefaultInstance()), e.code() + reason);
      }
    }
  }

  /** Begins a job. */
  Talk talk(Job job) {
    return new Talk(job.turns().size() > 1);
  }

  /** An answer as it comes. */
  private final class Answer {
    private final long due;
    private final List<Long> gaps = new ArrayList<>();
    private final List<Integer> tokens = new ArrayList<>();
    private long first;
    private long last;

    Answer(long due) {
      this.due = due;
    }

    void add(Delta delta) {
      if (delta.getTokenIdsCount() == 0) {
        return;
      }
      long now = clock.getAsLong();
      if (tokens.isEmpty()) {
        first = now;
      } else {
        gaps.add(now - last);
      }
      last = now;
      tokens.addAll(delta.getTokenIdsList());
      onTokens.accept(delta.getTokenIdsCount());
    }

    Outcome outcome(Usage usage, String failure) {
      return new Outcome(
          due,
          tokens.isEmpty() ? 0 : first - due,
          gaps,
          clock.getAsLong() - due,
          usage.getPromptTokens(),
          usage.getCachedPromptTokens(),
          tokens.size(),
          failure);
    }
  }
}
