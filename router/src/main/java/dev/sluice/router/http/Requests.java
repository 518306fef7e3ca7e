package dev.sluice.router.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.router.edge.ChatFields;
import dev.sluice.router.edge.Fields;
import dev.sluice.router.edge.GenerationFields;
import dev.sluice.router.edge.TokenTexts;
import dev.sluice.v1.ChatMessages;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.TokenIds;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Translates the bodies of the two generating endpoints.
 *
 * <p>Threading: no state of its own; may wait for {@link Models}, so not on an event loop.
 */
final class Requests {
  private static final int MAX_PROMPTS = 64;
  private static final int MAX_TOP = 20;
  private static final int DEFAULT_MAX_TOKENS = 16; // OpenAI's, for completions
  private static final String ABSENT = "absent: it is not supported";

  private final Models models;

  Requests(Models models) {
    this.models = models;
  }

  /**
   * A chat.
   *
   * @throws dev.sluice.common.error.RefusalException naming all that is wrong
   */
  ApiRequest chat(Fields fields, RequestContext context) {
    GenerateRequest.Builder request = context.begin();
    GenerationFields.apply(fields, request);
    ChatMessages chat = ChatFields.read(fields);
    request.setChat(chat);
    GenerationFields.maxTokens(fields).ifPresent(n -> request.getStoppingBuilder().setMaxTokens(n));
    OptionalInt top = chatLogprobs(fields);
    if (fields.flag("echo", false)) {
      fields.refuse("echo", ABSENT + " here");
    }
    Form form = new Form(fields, Shape.CHAT, context, top, request.getN());
    fields.throwIfAny();
    List<Integer> tokenIds =
        form.tokenIds() ? models.tokenize(request.getModel(), chat) : List.of();
    return finish(
        form, List.of(request), List.of(new Reply.Prompt("", tokenIds)), /* echo= */ false, false);
  }

  private static OptionalInt chatLogprobs(Fields fields) {
    OptionalInt top = fields.integer("top_logprobs", 0, MAX_TOP);
    if (fields.flag("logprobs", false)) {
      return OptionalInt.of(top.orElse(0));
    }
    if (top.orElse(0) > 0) {
      fields.refuse("top_logprobs", "absent, or logprobs: true");
    }
    return OptionalInt.empty();
  }

  /** A completion of one prompt or several. */
  ApiRequest completion(Fields fields, RequestContext context) {
    GenerateRequest.Builder common = context.begin();
    GenerationFields.apply(fields, common);
    boolean echo = fields.flag("echo", false);
    int maxTokens = GenerationFields.maxTokens(fields).orElse(DEFAULT_MAX_TOKENS);
    boolean discard = maxTokens == 0 && echo; // only the prompt is scored
    common.getStoppingBuilder().setMaxTokens(discard ? 1 : maxTokens);
    OptionalInt top = fields.integer("logprobs", 0, MAX_TOP);
    List<JsonNode> prompts = prompts(fields);
    Form form = new Form(fields, Shape.TEXT, context, top, common.getN());
    fields.throwIfAny();

    boolean ids = form.tokenIds() || (echo && top.isPresent());
    List<GenerateRequest.Builder> calls = new ArrayList<>();
    List<Reply.Prompt> known = new ArrayList<>();
    for (JsonNode prompt : prompts) {
      GenerateRequest.Builder call = common.clone();
      if (prompts.size() > 1) {
        call.setRequestId(common.getRequestId() + "-" + calls.size());
      }
      calls.add(call);
      known.add(setPrompt(prompt, call, echo, ids));
    }
    return finish(form, calls, known, echo, discard);
  }

  /** A text, a list of token ids, or a list of those. */
  private static List<JsonNode> prompts(Fields fields) {
    String expected =
        "a string, a list of token ids, or a list of up to " + MAX_PROMPTS + " of these";
    Optional<JsonNode> prompt = fields.get("prompt");
    if (prompt.isEmpty()) {
      fields.refuse("prompt", expected);
      return List.of();
    }
    List<JsonNode> prompts = new ArrayList<>();
    if (prompt.get().isTextual() || Fields.areTokens(prompt.get())) {
      prompts.add(prompt.get());
    } else if (prompt.get().isArray() && prompt.get().size() <= MAX_PROMPTS) {
      prompt.get().forEach(prompts::add);
    }
    if (prompts.isEmpty()
        || !prompts.stream().allMatch(p -> p.isTextual() || Fields.areTokens(p))) {
      fields.refuse("prompt", expected);
    }
    return prompts;
  }

  private Reply.Prompt setPrompt(
      JsonNode prompt, GenerateRequest.Builder call, boolean echo, boolean ids) {
    if (prompt.isTextual()) {
      String text = prompt.textValue();
      call.setText(text);
      return new Reply.Prompt(
          echo ? text : "", ids ? models.tokenize(call.getModel(), text) : List.of());
    }
    List<Integer> tokens = Fields.tokens(prompt);
    call.setTokenIds(TokenIds.newBuilder().addAllIds(tokens));
    return new Reply.Prompt(
        echo ? models.detokenize(call.getModel(), tokens) : "", ids ? tokens : List.of());
  }

  /** What both endpoints say of the form of the answer. */
  private record Form(
      Shape shape,
      RequestContext context,
      OptionalInt top,
      OptionalInt promptTop,
      boolean stream,
      boolean usage,
      boolean runningUsage,
      boolean tokenIds,
      boolean numbers,
      int choices) {
    Form(Fields fields, Shape shape, RequestContext context, OptionalInt top, int choices) {
      boolean stream = fields.flag("stream", false);
      Optional<Fields> streaming = fields.object("stream_options");
      if (streaming.isPresent() && !stream) {
        fields.refuse("stream_options", "absent, or stream: true");
      }
      OptionalInt promptTop = fields.integer("prompt_logprobs", 0, MAX_TOP);
      if (promptTop.isPresent() && stream) {
        fields.refuse("prompt_logprobs", "absent, or stream: false");
      }
      this(
          shape,
          context,
          top,
          promptTop,
          stream,
          streaming.map(s -> s.flag("include_usage", false)).orElse(false),
          streaming.map(s -> s.flag("continuous_usage_stats", false)).orElse(false),
          fields.flag("return_token_ids", false),
          fields.flag("return_tokens_as_token_ids", false),
          choices);
    }
  }

  private ApiRequest finish(
      Form form,
      List<GenerateRequest.Builder> calls,
      List<Reply.Prompt> prompts,
      boolean echo,
      boolean discard) {
    OptionalInt promptTop = form.promptTop().isPresent() || !echo ? form.promptTop() : form.top();
    for (GenerateRequest.Builder call : calls) {
      form.top().ifPresent(n -> call.getLogprobsBuilder().setOutput(n));
      promptTop.ifPresent(n -> call.getLogprobsBuilder().setPrompt(n));
    }
    Optional<TokenTexts> texts =
        form.top().isEmpty() && promptTop.isEmpty()
            ? Optional.empty()
            : Optional.of(
                form.numbers() ? TokenTexts.numbers() : models.texts(calls.getFirst().getModel()));
    return new ApiRequest(
        calls.stream().map(GenerateRequest.Builder::build).toList(),
        new Reply(
            form.shape(),
            form.context().id(),
            form.context().createdSeconds(),
            form.stream(),
            form.usage(),
            form.runningUsage(),
            form.top(),
            form.promptTop(),
            prompts,
            form.choices(),
            echo,
            form.tokenIds(),
            discard,
            texts));
  }
}
