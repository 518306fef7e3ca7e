package dev.sluice.router.http;

import dev.sluice.v1.Delta;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.Usage;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
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
  /** Messages asked for before those that came are written. */
  private static final int AHEAD = 8;

  private final Channel channel;
  private final Exchange exchange;
  private final ApiRequest request;
  private final Answer answer;
  private final List<Call> calls = new ArrayList<>();
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
      Call call =
          new Call(
              channel.newCall(
                  GenerationServiceGrpc.getGenerateMethod(), options.withExecutor(exchange.loop())),
              prompt);
      calls.add(call);
      call.start(request.calls().get(prompt), headers.get());
    }
    exchange.onGone(() -> cancel("the client hung up"));
    exchange.onWritable(() -> calls.forEach(Call::askForMore));
  }

  /** Metadata for each call, which it takes as its own. */
  interface HeaderSource {
    Metadata get();
  }

  private void cancel(String why) {
    calls.forEach(call -> call.call.cancel(why, null));
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
  private final class Call extends ClientCall.Listener<GenerateResponse> {
    private final ClientCall<GenerateRequest, GenerateResponse> call;
    private final int prompt;
    private final int firstChoice;
    private int owed; // messages that were not asked for while the client did not read
    private boolean complete;

    Call(ClientCall<GenerateRequest, GenerateResponse> call, int prompt) {
      this.call = call;
      this.prompt = prompt;
      firstChoice = prompt * request.reply().choicesPerPrompt();
    }

    void start(GenerateRequest message, Metadata headers) {
      call.start(this, headers);
      call.request(AHEAD);
      call.sendMessage(message);
      call.halfClose();
    }

    void askForMore() {
      if (owed > 0 && exchange.isWritable()) {
        call.request(owed);
        owed = 0;
      }
    }

    @Override
    public void onMessage(GenerateResponse message) {
      if (exchange.isOver()) {
        return;
      }
      switch (message.getEventCase()) {
        case STARTED -> answer.started(prompt, message.getStarted());
        case PROMPT_LOGPROBS -> answer.promptLogprobs(prompt, message.getPromptLogprobs());
        case DELTA -> delta(message.getDelta());
        case CHOICE_FINISHED ->
            answer.choiceFinished(
                firstChoice + message.getChoiceFinished().getChoice(), message.getChoiceFinished());
        case FINISHED -> {
          complete = true;
          completed(message.getFinished().getUsage());
        }
        case EVENT_NOT_SET -> {
          // of a later version: nothing that this one could pass on
        }
      }
      owed++;
      askForMore();
    }

    private void delta(Delta delta) {
      answer.delta(firstChoice + delta.getChoice(), delta);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (complete || exchange.isOver()) {
        return;
      }
      Status why =
          status.isOk() ? Status.INTERNAL.withDescription("the answer is not complete") : status;
      exchange.fail(ApiError.of(why, trailers));
      cancel("another prompt of the same request failed");
    }
  }
}
