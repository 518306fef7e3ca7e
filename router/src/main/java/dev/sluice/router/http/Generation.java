package dev.sluice.router.http;

import dev.sluice.router.edge.GenerationCall;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import dev.sluice.v1.PromptLogprobs;
import dev.sluice.v1.Started;
import dev.sluice.v1.Usage;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;

/**
 * The calls that one HTTP request becomes, one for each of its prompts. Flow control goes through:
 * while the client does not read, no message is asked for, and the worker is not let run ahead. A
 * client that hangs up cancels them all, and so does the failure of one.
 *
 * <p>Threading: the event loop of the exchange, where the calls' callbacks run, too.
 */
final class Generation {
  private final Channel channel;
  private final Exchange exchange;
  private final ApiRequest request;
  private final Answer answer;
  private final List<GenerationCall> calls = new ArrayList<>();
  private int open;
  private int promptTokens;
  private int cachedPromptTokens;
  private int outputTokens;

  Generation(Channel channel, Exchange exchange, ApiRequest request, Answer answer) {
    this.channel = channel;
    this.exchange = exchange;
    this.request = request;
    this.answer = answer;
  }

  /** Starts the calls, unless the client has gone. */
  void start(CallOptions options, HeaderSource headers) {
    if (exchange.isOver()) {
      return;
    }
    open = request.calls().size();
    for (int prompt = 0; prompt < request.calls().size(); prompt++) {
      calls.add(
          GenerationCall.start(
              channel,
              options.withExecutor(exchange.loop()),
              request.calls().get(prompt),
              headers.get(),
              new Part(prompt)));
    }
    exchange.onGone(() -> cancel("the client hung up"));
    exchange.onWritable(() -> calls.forEach(GenerationCall::askForMore));
  }

  /** Metadata for each call, which it takes as its own. */
  interface HeaderSource {
    Metadata get();
  }

  private void cancel(String why) {
    calls.forEach(call -> call.cancel(why));
  }

  private void completed(Usage usage) {
    promptTokens += usage.getPromptTokens();
    cachedPromptTokens += usage.getCachedPromptTokens();
    outputTokens += usage.getOutputTokens();
    open--;
    if (open == 0) {
      answer.finished(
          Usage.newBuilder()
              .setPromptTokens(promptTokens)
              .setCachedPromptTokens(cachedPromptTokens)
              .setOutputTokens(outputTokens)
              .build());
    }
  }

  /** One prompt's. */
  private final class Part implements GenerationCall.Sink {
    private final int prompt;
    private final int firstChoice;

    Part(int prompt) {
      this.prompt = prompt;
      firstChoice = prompt * request.reply().choicesPerPrompt();
    }

    @Override
    public void started(Started started) {
      answer.started(prompt, started);
    }

    @Override
    public void promptLogprobs(PromptLogprobs part) {
      answer.promptLogprobs(prompt, part);
    }

    @Override
    public void delta(Delta delta) {
      answer.delta(firstChoice + delta.getChoice(), delta);
    }

    @Override
    public void choiceFinished(ChoiceFinished finished) {
      answer.choiceFinished(firstChoice + finished.getChoice(), finished);
    }

    @Override
    public void finished(Usage usage) {
      completed(usage);
    }

    @Override
    public void failed(Status status, Metadata trailers) {
      exchange.fail(ApiError.of(status, trailers));
      cancel("another prompt of the same request failed");
    }

    @Override
    public boolean isReady() {
      return exchange.isWritable();
    }
  }
}
