package dev.sluice.worker.service;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.common.prompt.PromptEncoder;
import dev.sluice.common.server.Errors;
import dev.sluice.v1.DetokenizeRequest;
import dev.sluice.v1.DetokenizeResponse;
import dev.sluice.v1.GenerateOnceRequest;
import dev.sluice.v1.GenerateOnceResponse;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.ListModelsRequest;
import dev.sluice.v1.ListModelsResponse;
import dev.sluice.v1.TokenizeRequest;
import dev.sluice.v1.TokenizeResponse;
import dev.sluice.worker.constraint.Constraint;
import dev.sluice.worker.constraint.Constraints;
import dev.sluice.worker.engine.GenerationTask;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The worker's GenerationService: validates, tokenizes, and hands each request to a {@link
 * GenerationCall}.
 *
 * <p>Threading: handlers run on virtual threads of the server.
 */
final class GenerationEndpoint extends GenerationServiceGrpc.GenerationServiceImplBase {
  private final Supplier<WorkerCore> core;

  /**
   * @param core throws a {@link RefusalException} while the worker is not ready
   */
  GenerationEndpoint(Supplier<WorkerCore> core) {
    this.core = core;
  }

  @Override
  public void generate(GenerateRequest request, StreamObserver<GenerateResponse> observer) {
    ServerCallStreamObserver<GenerateResponse> call =
        (ServerCallStreamObserver<GenerateResponse>) observer;
    try {
      start(request, call, new StreamSink(call));
    } catch (RuntimeException e) {
      Errors.refuse(observer, e);
    }
  }

  @Override
  public void generateOnce(
      GenerateOnceRequest request, StreamObserver<GenerateOnceResponse> observer) {
    try {
      start(
          request.getRequest(),
          (ServerCallStreamObserver<GenerateOnceResponse>) observer,
          new ResultSink(observer));
    } catch (RuntimeException e) {
      Errors.refuse(observer, e);
    }
  }

  private void start(
      GenerateRequest request, ServerCallStreamObserver<?> observer, ResponseSink sink) {
    WorkerCore ready = core.get();
    GenerationPlan plan = ready.validator().validate(asTaken(request, ready.model()));
    Prompt prompt = Prompt.of(plan.prompt(), ready.model());
    Optional<Constraint> constraint =
        ConstraintFields.source(request)
            .map(source -> ConstraintStage.compile(constraints(ready), source));
    GenerationCall call =
        new GenerationCall(
            plan,
            ready.engine(),
            sink,
            ready.model(),
            ready.telemetry().begin(plan, prompt.length()));
    observer.setOnReadyHandler(call::wake);
    observer.setOnCancelHandler(call::hangUp);
    call.start(task(plan, prompt, constraint, ready.model()));
  }

  /**
   * An engine that tokenizes by itself has no use for a router's tokens, if it can have the text.
   */
  private static GenerateRequest asTaken(GenerateRequest request, ServedModel model) {
    return switch (model.form()) {
      case TOKENS -> request;
      case TEXT ->
          request.getPromptCase() == GenerateRequest.PromptCase.PROMPT_NOT_SET
              ? request
              : request.toBuilder()
                  .setHop(request.getHop().toBuilder().clearPromptTokenIds())
                  .build();
    };
  }

  private static Constraints constraints(WorkerCore ready) {
    return ready
        .constraints()
        .orElseThrow(() ->
            new RefusalException(
                new Refusal.Unimplemented(
                    "constraint", "constraint: set (expected: none; the engine obeys none)")));
  }

  private static GenerationTask task(
      GenerationPlan plan, Prompt prompt, Optional<Constraint> constraint, ServedModel model) {
    GenerationTask.Builder task =
        GenerationTask.builder(plan.requestId(), prompt.tokens())
            .choices(plan.choices())
            .minTokens(plan.minTokens())
            .ignoreEos(plan.ignoreEos())
            .tenant(plan.tenant())
            .cacheSalt(plan.cacheSalt())
            .priority(plan.urgency().priority())
            .trace(io.opentelemetry.context.Context.current())
            .eosTokenIds(model.eosTokenIds().stream().mapToInt(Integer::intValue).toArray())
            .stopTokenIds(plan.stopTokenIds().stream().mapToInt(Integer::intValue).toArray())
            .sampling(plan.sampling());
    prompt.text().ifPresent(task::promptText);
    plan.maxTokens().ifPresent(task::maxTokens);
    constraint.ifPresent(task::constraint);
    plan.outputLogprobs().ifPresent(task::outputLogprobs);
    plan.beam().ifPresent(task::beam);
    if (!plan.progress().map(ResumePoint::hasBegun).orElse(false)) { // else the client has them
      plan.promptLogprobs().ifPresent(task::promptLogprobs);
    }
    plan.progress().ifPresent(progress -> addResume(task, progress));
    plan.urgency().ttftTargetNanos().ifPresent(task::ttftTargetNanos);
    Deadline deadline = Context.current().getDeadline();
    if (deadline != null) {
      task.deadlineNanos(System.nanoTime() + deadline.timeRemaining(TimeUnit.NANOSECONDS));
    }
    return task.build();
  }

  private static void addResume(GenerationTask.Builder task, ResumePoint resume) {
    for (int i = 0; i < resume.choices().size(); i++) {
      ResumePoint.Progress progress = resume.choices().get(i);
      int[] tokens = progress.tokens().stream().mapToInt(Integer::intValue).toArray();
      task.resume(i, tokens, progress.finished());
    }
  }

  @Override
  public void tokenize(TokenizeRequest request, StreamObserver<TokenizeResponse> observer) {
    try {
      WorkerCore ready = core.get();
      ready.validator().checkModel(request.getModel());
      PromptEncoder prompts = ready.model().tokenization().prompts();
      String text =
          switch (request.getPromptCase()) {
            case TEXT -> request.getText();
            case CHAT -> {
              Violations violations = new Violations();
              ChatChecks.check(request.getChat(), violations);
              violations.throwIfAny();
              yield prompts.render(request.getChat());
            }
            case PROMPT_NOT_SET ->
                throw RefusalException.invalid("prompt", "not set (expected: one of text, chat)");
          };
      int[] tokens = request.hasChat() ? prompts.encodeRendered(text) : prompts.encodeText(text);
      TokenizeResponse.Builder response = TokenizeResponse.newBuilder().setText(text);
      for (int token : tokens) {
        response.addTokenIds(token);
      }
      observer.onNext(response.build());
      observer.onCompleted();
    } catch (RuntimeException e) {
      Errors.refuse(observer, e);
    }
  }

  @Override
  public void detokenize(DetokenizeRequest request, StreamObserver<DetokenizeResponse> observer) {
    try {
      WorkerCore ready = core.get();
      ready.validator().checkModel(request.getModel());
      String text =
          ready
              .model()
              .tokenization()
              .tokenizer()
              .decode(
                  request.getTokenIdsList().stream().mapToInt(Integer::intValue).toArray(),
                  request.getSkipSpecialTokens());
      observer.onNext(DetokenizeResponse.newBuilder().setText(text).build());
      observer.onCompleted();
    } catch (RuntimeException e) {
      Errors.refuse(observer, e);
    }
  }

  @Override
  public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> observer) {
    try {
      observer.onNext(
          ListModelsResponse.newBuilder().addModels(core.get().model().description()).build());
      observer.onCompleted();
    } catch (RuntimeException e) {
      Errors.refuse(observer, e);
    }
  }
}
